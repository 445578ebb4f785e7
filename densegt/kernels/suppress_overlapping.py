"""Non-maximum suppression of oriented rectangles."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from densegt.kernels.rotated_overlap import ROOM, overlap_m2

Float64 = NDArray[np.float64]


@njit(cache=True, nogil=True, error_model="numpy")
def suppress_overlapping(rectangles: Float64, iou: float, most: int, out: NDArray[np.int64]) -> int:
    """Write the rows kept to `out`, of `most` or more; returns their number.

    Args:
        rectangles: (N,5) centre x, y, length, width in m, yaw in rad; in order of score.
        iou: those that overlap a kept one by more are dropped.
    """
    polygon, clipped = np.empty((ROOM, 2)), np.empty((ROOM, 2))
    kept = 0
    for i in range(len(rectangles)):
        if kept == most:
            break
        alone = True
        for k in range(kept):
            other = rectangles[out[k]]
            both = overlap_m2(rectangles[i], other, polygon, clipped)
            either = rectangles[i, 2] * rectangles[i, 3] + other[2] * other[3] - both
            if both > iou * either:
                alone = False
                break
        if alone:
            out[kept] = i
            kept += 1
    return kept
