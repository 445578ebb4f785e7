"""From the grid that surfaces were worked out on to the image's own pixels."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Float32 = NDArray[np.float32]


@njit(cache=True, nogil=True, error_model="numpy")
def upsample(
    depth_m: Float32,
    row_of: NDArray[np.int32],
    sure: Float32,
    inverse_slope: Float32,
    step: int,
    relative: float,
    shown: NDArray[np.int32],
    shown_m: Float32,
    kind: NDArray[np.uint8],
    age_s: Float32,
    surface: int,
    out_m: Float32,
    out_kind: NDArray[np.uint8],
    out_age_s: Float32,
    out_sure: Float32,
) -> None:
    """Write each pixel's depth, kind, age and confidence; nothing where unknown.

    A pixel shows its own point, if one falls into it that lies on the surface there. Else it lies on the plane of the
    surfel that its cell of the grid shows, and is of the kind `surface`.

    Args:
        depth_m: (h,w) of the grid, 0 = unknown; row_of: (h,w) the surfel it comes from, -1 for none; sure: (h,w).
        inverse_slope: (h,w,2) of inverse depth, by a column and a row of the grid, 1/m.
        step: a cell holds this many pixels along and across.
        relative: a plane that departs from its cell's depth by more is not followed, a point farther from it does not
            lie on it.
        shown, shown_m: (H,W) the point that each pixel shows, -1 for none, and its depth.
        kind, age_s: (N,) of each surfel.
        out_m, out_kind, out_age_s, out_sure: (H,W).
    """
    height_px, width_px = shown.shape
    one, middle, per_step = np.float32(1), np.float32((step - 1) / 2), np.float32(1 / step)
    least, most = np.float32(1 / (1 + relative)), np.float32(1 + relative)
    for row in range(depth_m.shape[0]):
        for col in range(depth_m.shape[1]):
            cell_m = depth_m[row, col]
            if not cell_m > 0:
                continue
            i = row_of[row, col]
            cell_age_s = age_s[i] if i >= 0 else np.float32(0)
            by_col, by_row = (
                cell_m * inverse_slope[row, col, 0] * per_step,
                cell_m * inverse_slope[row, col, 1] * per_step,
            )
            for r in range(row * step, min(row * step + step, height_px)):
                inverse = one + by_row * (np.float32(r - row * step) - middle)
                for c in range(col * step, min(col * step + step, width_px)):
                    ratio = one / (inverse + by_col * (np.float32(c - col * step) - middle))
                    z = cell_m * ratio if least <= ratio <= most else cell_m
                    kind_here, age_here = np.uint8(surface), cell_age_s
                    p = shown[r, c]
                    own_m = shown_m[r, c]
                    if p >= 0 and least * z <= own_m <= most * z:
                        z, kind_here, age_here = own_m, kind[p], age_s[p]
                    out_m[r, c], out_kind[r, c] = z, kind_here
                    out_age_s[r, c], out_sure[r, c] = age_here, sure[row, col]
