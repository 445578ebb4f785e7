"""What each pixel shows before anything is filled: its point, or else the surface."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(cache=True, nogil=True)
def compose_layers(
    surface_m: NDArray[np.float32],
    best: NDArray[np.int32],
    shown: NDArray[np.int32],
    shown_m: NDArray[np.float32],
    hidden: NDArray[np.bool_],
    depth_m: NDArray[np.float32],
    row_of: NDArray[np.int32],
    measured: NDArray[np.bool_],
) -> None:
    """Write depth, 0 = unknown, the surfel it comes from, and whether that is the pixel's own point.

    Args:
        surface_m, best: (H,W) depth and best surfel of the surface, infinity and -1 where there is none.
        shown, shown_m: (H,W) the point that each pixel shows, -1 for none, and its depth.
        hidden: (H,W), pixels that show nothing.
        depth_m, row_of, measured: (H,W).
    """
    height_px, width_px = shown.shape
    for row in range(height_px):
        for col in range(width_px):
            i, point = best[row, col], shown[row, col]
            if hidden[row, col]:
                i, point = -1, -1
            measured[row, col] = point >= 0
            i = point if point >= 0 else i
            row_of[row, col] = i
            depth_m[row, col] = 0 if i < 0 else shown_m[row, col] if point >= 0 else surface_m[row, col]
