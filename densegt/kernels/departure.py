"""Departure of each pixel's inverse depth from the straight line between its neighbours: 0 on a plane."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(cache=True, nogil=True)
def departure(inverse: NDArray[np.float32], step_px: int, out: NDArray[np.float32]) -> None:
    """Fill `out` (H,W) 1/m with the greater departure, by magnitude, of row and column; positive is too far.

    The neighbours are `step_px` away. A direction with a neighbour unknown or outside the image counts as 0.

    Args:
        inverse: (H,W) 1/m, known where > 0.
        out: 0 where unknown.
    """
    height_px, width_px = inverse.shape
    for row in range(height_px):
        if step_px <= row < height_px - step_px:
            _line(inverse[row - step_px], inverse[row], inverse[row + step_px], out[row])
        else:
            out[row] = 0
        here = inverse[row]
        if width_px > 2 * step_px:
            middle = slice(step_px, width_px - step_px)
            _larger(here[: width_px - 2 * step_px], here[middle], here[2 * step_px :], out[row][middle])


@njit(cache=True, nogil=True)
def _line(
    before: NDArray[np.float32], here: NDArray[np.float32], after: NDArray[np.float32], out: NDArray[np.float32]
) -> None:
    for i in range(len(out)):
        known = before[i] > 0 and here[i] > 0 and after[i] > 0
        out[i] = np.float32(0.5) * (before[i] + after[i]) - here[i] if known else np.float32(0)


@njit(cache=True, nogil=True)
def _larger(
    before: NDArray[np.float32], here: NDArray[np.float32], after: NDArray[np.float32], out: NDArray[np.float32]
) -> None:
    for i in range(len(out)):
        known = before[i] > 0 and here[i] > 0 and after[i] > 0
        value = np.float32(0.5) * (before[i] + after[i]) - here[i] if known else np.float32(0)
        out[i] = value if abs(value) > abs(out[i]) else out[i]
