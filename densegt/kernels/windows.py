"""Minimum and maximum of range images over windows of two rings and four columns."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(cache=True, nogil=True)
def nearest_around(image: NDArray[np.float32], out: NDArray[np.float32]) -> None:
    """Write the least range of each window, 0 unless both rings have a return.

    Args:
        image: (R,C) ranges in m, 0 = no return.
        out: (R-1,C), [r,c] of rings r and r+1, columns c to c+3 across the scan start.
    """
    rings, columns = image.shape
    for ring in range(rings - 1):
        for c in range(columns):
            lower, upper = np.float32(np.inf), np.float32(np.inf)
            for k in range(4):
                at = c + k if c + k < columns else c + k - columns
                a, b = image[ring, at], image[ring + 1, at]
                lower = a if 0 < a < lower else lower
                upper = b if 0 < b < upper else upper
            out[ring, c] = min(lower, upper) if lower < np.inf and upper < np.inf else 0


@njit(cache=True, nogil=True)
def answers_around(image: NDArray[np.float32], farthest: NDArray[np.float32], empty: NDArray[np.uint8]) -> None:
    """Write the greatest range of each window and the number of its eight beams without return; (R-1,C)."""
    rings, columns = image.shape
    for ring in range(rings - 1):
        for c in range(columns):
            most, none = np.float32(0), 0
            for k in range(4):
                at = c + k if c + k < columns else c + k - columns
                a, b = image[ring, at], image[ring + 1, at]
                most = max(most, a, b)
                none += (a == 0) + (b == 0)
            farthest[ring, c], empty[ring, c] = most, none
