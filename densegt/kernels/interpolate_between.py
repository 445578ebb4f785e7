"""Interpolation between measured pixels of one surface."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray


class InterpolatedDepth(NamedTuple):
    """Depth of an image and where it comes from.

    Attributes:
        depth_m: (H,W) float32, 0 = unknown.
        surfel: (H,W) int32, index of the surfel it comes from, -1 = none.
        measured: (H,W) bool, a point falls into the pixel.
        between: (H,W) bool, interpolated between two pixels. Other known pixels are covered by a surfel.
        inverse_slope: (H,W,2) float32 1/(m px), derivatives of inverse depth by column and row.
    """

    depth_m: NDArray[np.float32]
    surfel: NDArray[np.int32]
    measured: NDArray[np.bool_]
    between: NDArray[np.bool_]
    inverse_slope: NDArray[np.float32]


@njit(cache=True, nogil=True, inline="always")
def _first_known(depth_m: NDArray[np.float32], row: int, col: int, dr: int, dc: int, most: int) -> int:
    """Steps from a pixel to the first known one in a direction; 0 = none within `most`."""
    height_px, width_px = depth_m.shape
    if dr != 0:
        most = min(most, height_px - 1 - row if dr > 0 else row)
    if dc != 0:
        most = min(most, width_px - 1 - col if dc > 0 else col)
    for s in range(1, most + 1):
        if depth_m[row + s * dr, col + s * dc] > 0:
            return s
    return 0


@njit(cache=True, nogil=True)
def interpolate_between(
    depth_m: NDArray[np.float32],
    inverse_slope: NDArray[np.float32],
    max_gap_px: NDArray[np.float32],
    tolerance: float,
    out: NDArray[np.float32],
    nearest: NDArray[np.int32],
) -> None:
    """Fill `out` (H,W) where `depth_m` is 0 and two opposite measured pixels belong to one surface.

    On a plane inverse depth is linear in the image, so each measured pixel predicts its opposite by its slope. The
    pair is one surface if depths agree to within `tolerance` or each predicts the other to within it. A pixel with
    measurements on one side only stays unknown. Pairs are tried along the row, the column and both diagonals; the
    shortest wins.

    Args:
        depth_m: (H,W), 0 = unknown.
        inverse_slope: (H,W,2) d(1/z)/du and d(1/z)/dv at measured pixels, 1/(m px).
        max_gap_px: (H,W), opposite pixels are at most as far apart as either allows.
        tolerance: relative.
        out: (H,W) m; left alone where not filled.
        nearest: (H,W) flat index of the nearer pixel of the winning pair; left alone where not filled.
    """
    height_px, width_px = depth_m.shape
    widest_px = max_gap_px.max() + np.float32(1) if max_gap_px.size else np.float32(1)
    step_row = (0, 1, 1, 1)
    step_col = (1, 0, 1, -1)
    for row in range(height_px):
        for col in range(width_px):
            if depth_m[row, col] > 0:
                continue
            best_gap = widest_px
            for d in range(4):
                dr, dc = step_row[d], step_col[d]
                step = np.float32(1.0 if d < 2 else np.sqrt(2.0))
                ahead = _first_known(depth_m, row, col, dr, dc, int(best_gap / step))
                if ahead == 0:
                    continue
                back = _first_known(depth_m, row, col, -dr, -dc, int(best_gap / step))
                gap = (ahead + back) * step
                if back == 0 or gap >= best_gap:
                    continue
                r0, c0 = row + ahead * dr, col + ahead * dc
                r1, c1 = row - back * dr, col - back * dc
                if gap >= max(max_gap_px[r0, c0], max_gap_px[r1, c1]) + 1:
                    continue
                w0, w1 = 1 / depth_m[r0, c0], 1 / depth_m[r1, c1]
                n = ahead + back
                from0 = w0 - n * (inverse_slope[r0, c0, 0] * dc + inverse_slope[r0, c0, 1] * dr)
                from1 = w1 + n * (inverse_slope[r1, c1, 0] * dc + inverse_slope[r1, c1, 1] * dr)
                near = tolerance * min(w0, w1)
                if abs(w0 - w1) > near and (abs(from0 - w1) > near or abs(from1 - w0) > near):
                    continue
                best_gap = gap
                out[row, col] = n / (w0 * back + w1 * ahead)
                nearest[row, col] = r0 * width_px + c0 if ahead <= back else r1 * width_px + c1
