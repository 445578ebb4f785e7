"""Pixels of an image at the places of another one's pixels."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(cache=True, nogil=True)
def nearest_places(A: NDArray[np.float64], height_px: int, width_px: int, out: NDArray[np.int32]) -> None:
    """Write to `out` (h,w) the flat index of the image's pixel in which each pixel's centre lies; -1 = none.

    Args:
        A: (3,3), affine, from `out`'s pixels (column, row, 1) to the image's.
    """
    for row in range(out.shape[0]):
        for col in range(out.shape[1]):
            u = np.floor(A[0, 0] * col + A[0, 1] * row + A[0, 2] + 0.5)
            v = np.floor(A[1, 0] * col + A[1, 1] * row + A[1, 2] + 0.5)
            inside = (u >= 0) & (u < width_px) & (v >= 0) & (v < height_px)
            out[row, col] = np.int32(v) * np.int32(width_px) + np.int32(u) if inside else np.int32(-1)
