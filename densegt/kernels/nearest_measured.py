"""The nearest measured pixel above and below each pixel, by a geodesic distance that grows across image edges.

Raster passes (P. Toivanen, New geodesic distance transforms for gray-scale images, 1996), one per direction: a path
comes from the row before, straight or along a diagonal, and costs its length plus the changes of brightness along it.

A key holds the distance in the upper 32 bits and the measured pixel's row and column in 16 bits each below. The least
key is the nearest pixel, of equally near ones the uppermost, then the leftmost.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

# Distances in fifths of a pixel: a straight step, a diagonal one (5 sqrt 2 rounded), one step of brightness (of 255).
STRAIGHT = 5
DIAGONAL = 7
BRIGHTNESS = 20
FIFTHS_PER_PX = 5.0
# Nothing measured within reach; sums stay far from overflow.
NOWHERE = np.int64(1) << 61

_STRAIGHT = np.int64(STRAIGHT) << 32
_DIAGONAL = np.int64(DIAGONAL) << 32
_BRIGHTNESS = np.int64(BRIGHTNESS) << 32


class NearestKeys(NamedTuple):
    """Keys of the nearest measured pixels in four directions.

    Attributes:
        above, below: (H,W) int64.
        left, right: (W,H) int64, of the transposed image: their row is a column.
    """

    above: NDArray[np.int64]
    below: NDArray[np.int64]
    left: NDArray[np.int64]
    right: NDArray[np.int64]


@njit(cache=True, nogil=True)
def nearest_above(guide: NDArray[np.uint8], inverse: NDArray[np.float32], out: NDArray[np.int64]) -> None:
    """Fill `out` (H,W) with keys of the nearest measured pixel in the same row or above, within 45 degrees.

    Args:
        guide: (H,W) brightness.
        inverse: (H,W) 1/m, measured where > 0; H and W at most 32768.
        out: written everywhere; NOWHERE or more where nothing is measured.
    """
    for row in range(guide.shape[0]):
        _own(inverse[row], row, out[row])
        if row > 0:
            _step(guide[row - 1], guide[row], out[row - 1], out[row])


@njit(cache=True, nogil=True)
def nearest_below(guide: NDArray[np.uint8], inverse: NDArray[np.float32], out: NDArray[np.int64]) -> None:
    """Fill `out` (H,W) with keys of the nearest measured pixel in the same row or below, within 45 degrees."""
    for row in range(guide.shape[0] - 1, -1, -1):
        _own(inverse[row], row, out[row])
        if row + 1 < guide.shape[0]:
            _step(guide[row + 1], guide[row], out[row + 1], out[row])


@njit(cache=True, nogil=True)
def _own(inverse: NDArray[np.float32], row: int, out: NDArray[np.int64]) -> None:
    first = np.int64(row) << 16
    for col in range(len(out)):
        out[col] = first + col if inverse[col] > 0 else NOWHERE


@njit(cache=True, nogil=True)
def _step(
    guide_before: NDArray[np.uint8], guide: NDArray[np.uint8], before: NDArray[np.int64], out: NDArray[np.int64]
) -> None:
    """Lower a row's keys to those propagated from the row before; the inner loop is free of branches."""
    last = len(out) - 1
    for col in range(1, last):
        here = np.int64(guide[col])
        straight = before[col] + _STRAIGHT + abs(here - np.int64(guide_before[col])) * _BRIGHTNESS
        left = before[col - 1] + _DIAGONAL + abs(here - np.int64(guide_before[col - 1])) * _BRIGHTNESS
        right = before[col + 1] + _DIAGONAL + abs(here - np.int64(guide_before[col + 1])) * _BRIGHTNESS
        out[col] = min(min(out[col], straight), min(left, right))
    for col in (0, last):
        here = np.int64(guide[col])
        best = min(out[col], before[col] + _STRAIGHT + abs(here - np.int64(guide_before[col])) * _BRIGHTNESS)
        for side in (col - 1, col + 1):
            if 0 <= side <= last:
                best = min(best, before[side] + _DIAGONAL + abs(here - np.int64(guide_before[side])) * _BRIGHTNESS)
        out[col] = best
