"""Of boxes that overlap, the one that is surest."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from densegt.kernels.rotated_overlap import ROOM, overlap_m2

Float64 = NDArray[np.float64]


@njit(cache=True, nogil=True, error_model="numpy")
def suppress_overlapping(rectangles: Float64, iou: float, most: int, out: NDArray[np.int64]) -> int:
    """Write to `out` (>= most,) which of them are kept, and give how many.

    Args:
        rectangles: (N,5) x, y, length, width in m, yaw in rad; the surest first.
        iou: those that overlap one before them by more are left out.
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
