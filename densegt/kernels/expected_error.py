"""Expected error of completed depth: one standard deviation of each pixel, without ground truth."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

MAX_REACH_PX = 100


@njit(cache=True, nogil=True)
def expected_error(
    filled: NDArray[np.float32],
    departure: NDArray[np.float32],
    spread: NDArray[np.float32],
    farthest: NDArray[np.float32],
    reach_px: NDArray[np.float32],
    source: NDArray[np.uint8],
    weights: NDArray[np.float32],
    out: NDArray[np.float32],
) -> None:
    """Fill `out` (H,W) m with the root of the weighted sum of squares of five causes of error.

    The causes, in metres: depth (noise); depth times the distance in pixels from a measured pixel, at most 100; the
    difference to the line between the pixel's neighbours (outlines); the difference by `spread`, the disagreement of
    averaged pixels; the difference to the farthest measured pixel around. Each difference is to at most three times
    the depth.

    Args:
        filled: (H,W) 1/m; 0 = unknown, for which `out` is 0.
        departure: (H,W) 1/m of `departure`.
        spread, reach_px: (H,W) of `fill_from_nearest`.
        farthest: (H,W) 1/m of `farthest_around`; 0 = none.
        source: (H,W), row of `weights` where measured (reach 0); the last row is for what was filled.
        weights: (S,5).
    """
    height_px, width_px = filled.shape
    last = weights.shape[0] - 1
    most = np.float32(MAX_REACH_PX)
    for row in range(height_px):
        for col in range(width_px):
            w = filled[row, col]
            if not w > 0:
                out[row, col] = 0
                continue
            z = np.float32(1) / w
            third = w / np.float32(3)
            outline = z - np.float32(1) / max(w + np.float32(2) * departure[row, col], third)
            dispute = np.float32(1) / max(w - spread[row, col], third) - z
            far = z * min(reach_px[row, col], most)
            g = source[row, col] if reach_px[row, col] == 0 else last
            square = (weights[g, 0] * z) ** 2 + (weights[g, 1] * far) ** 2
            square += (weights[g, 2] * outline) ** 2 + (weights[g, 3] * dispute) ** 2
            if farthest[row, col] > 0:
                behind = np.float32(1) / max(min(farthest[row, col], w), third) - z
                square += (weights[g, 4] * behind) ** 2
            out[row, col] = np.sqrt(square)
