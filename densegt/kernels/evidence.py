"""What speaks for and against each pixel's depth, as numbers."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

# Columns that `evidence` writes, in order.
COLUMNS = (
    "agree",
    "farther",
    "jump_near",
    "jump_close",
    "weight",
    "weight_around",
    "layers",
    "moving",
    "sideways",
    "unknown",
    "log_depth",
    "age",
    "incidence",
    "covered",
    "between",
    "passing",
    "seen_through",
)

# Counts beyond this say no more.
LOOKED_UP = 1024


@njit(cache=True, nogil=True, error_model="numpy")
def evidence(
    depth_m: NDArray[np.float32],
    row_of: NDArray[np.int32],
    measured: NDArray[np.bool_],
    between: NDArray[np.bool_],
    agree: NDArray[np.uint16],
    farther: NDArray[np.uint16],
    nearest_around_m: NDArray[np.float32],
    nearest_close_m: NDArray[np.float32],
    support: NDArray[np.float32],
    support_around: NDArray[np.float32],
    first_weight: NDArray[np.float32],
    second_weight: NDArray[np.float32],
    known_around: NDArray[np.float32],
    seen_through: NDArray[np.float32],
    moving: NDArray[np.bool_],
    passing: NDArray[np.bool_],
    trust: NDArray[np.float32],
    age_s: NDArray[np.float32],
    incidence: NDArray[np.float32],
    out: NDArray[np.float32],
) -> None:
    """Fill `out` (P,17), one row a known pixel in row-major order; see `COLUMNS`.

    Args:
        depth_m: (H,W), 0 = unknown; row_of: (H,W), the patch it comes from, -1 for none.
        measured, between: (H,W), a point of its own; filled between two such. The rest is covered by patches.
        agree, farther: (H,W), see `plane_votes`.
        nearest_around_m, nearest_close_m: (H,W), nearest depth in a wider and a smaller window.
        support: (H,W), the surface's weight times z^2; support_around: its greatest value around.
        first_weight, second_weight: (H,W), of the nearest layer of patches and of the one behind.
        known_around: (H,W), share of known pixels around.
        seen_through: (H,W), share of returns around that lie behind the front surface.
        moving, passing, trust, age_s, incidence: (N,) of the patches, as in `View`.
    """
    height_px, width_px = depth_m.shape
    # Counts are small; their logarithms are looked up.
    log_count = np.log(np.arange(1, LOOKED_UP + 1).astype(np.float32))
    i = 0
    for row in range(height_px):
        for col in range(width_px):
            z = depth_m[row, col]
            if not z > 0:
                continue
            p = row_of[row, col]
            out[i, 0] = log_count[min(agree[row, col], LOOKED_UP - 1)]
            out[i, 1] = log_count[min(farther[row, col], LOOKED_UP - 1)]
            out[i, 2] = min(z / nearest_around_m[row, col] - 1, 1)
            out[i, 3] = min(z / nearest_close_m[row, col] - 1, 1)
            out[i, 4] = np.log(min(max(support[row, col], np.float32(1e-3)), np.float32(1e6)))
            share = support[row, col] / max(support_around[row, col], np.float32(1e-6))
            out[i, 5] = np.log(min(max(share, np.float32(1e-3)), np.float32(1e3)))
            ratio = first_weight[row, col] / max(second_weight[row, col], np.float32(1e-9))
            out[i, 6] = np.log(min(max(ratio, np.float32(1e-2)), np.float32(1e2)))
            out[i, 9] = 1 - known_around[row, col]
            out[i, 10] = np.log(z)
            out[i, 16] = seen_through[row, col]
            if p >= 0:
                out[i, 7] = moving[p] and not passing[p]
                out[i, 8] = 1 - trust[p]
                out[i, 11] = min(abs(age_s[p]), np.float32(3))
                out[i, 12] = incidence[p]
                out[i, 15] = passing[p]
            else:
                out[i, 7], out[i, 8], out[i, 11], out[i, 12], out[i, 15] = 0, 0, 0, 0, 0
            out[i, 13] = not measured[row, col] and not between[row, col]
            out[i, 14] = between[row, col]
            i += 1
