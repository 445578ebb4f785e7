"""The farthest of the nearest measured pixels around each unknown pixel."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from densegt.kernels.nearest_measured import NOWHERE, NearestKeys

_HALF = np.uint32(16)
_LOW = np.uint32(0xFFFF)


@njit(cache=True, nogil=True)
def farthest_around(inverse: NDArray[np.float32], keys: NearestKeys, out: NDArray[np.float32]) -> None:
    """Fill `out` (H,W) 1/m with the least inverse depth of the four nearest pixels; 0 where measured, or none.

    Args:
        inverse: (H,W) 1/m, measured where > 0.
    """
    above, below, left, right = keys
    height_px, width_px = inverse.shape
    for row in range(height_px):
        for col in range(width_px):
            if inverse[row, col] > 0:
                out[row, col] = 0
                continue
            least = _less(inverse, above[row, col], np.float32(np.inf))
            least = _less(inverse, below[row, col], least)
            least = _less_turned(inverse, left[col, row], least)
            least = _less_turned(inverse, right[col, row], least)
            out[row, col] = least if least < np.inf else np.float32(0)


@njit(cache=True, nogil=True, inline="always")
def _less(inverse, key, least):  # type: ignore[no-untyped-def]
    """The lesser of the key's inverse depth and `least`."""
    # Unsigned, so that no index can count from the end: a third faster.
    where = np.uint32(key)
    return min(least, inverse[where >> _HALF, where & _LOW]) if key < NOWHERE else least


@njit(cache=True, nogil=True, inline="always")
def _less_turned(inverse, key, least):  # type: ignore[no-untyped-def]
    """`_less` for a key of the transposed image."""
    where = np.uint32(key)
    return min(least, inverse[where & _LOW, where >> _HALF]) if key < NOWHERE else least
