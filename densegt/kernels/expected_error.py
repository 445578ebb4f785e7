"""How far off each pixel of a completed depth map may be: one standard deviation, told without truth."""

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
    """Fill `out` (H,W) m with the root of the sum of squares of five causes, each times its weight.

    The causes, in metres: depth itself (noise); depth times the distance from what was measured, in pixels, at most
    100; the jump if the pixel belonged where its neighbours' line passes (outlines); the jump by `spread`, the
    disagreement of what was averaged; the jump to the farthest measurement around, if the pixel belonged to that. A
    jump ends at the latest at three times the depth.

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
