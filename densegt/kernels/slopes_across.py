"""Slope of inverse depth along the row at measured pixels."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(cache=True, nogil=True)
def slopes_across(inverse: NDArray[np.float32], reach_px: int, tolerance: float, out: NDArray[np.float32]) -> None:
    """Fill `out` (H,W) 1/(m px) at measured pixels that border, by edge or corner, on an unknown one above or below.

    The neighbour on a side is the farthest measured pixel within `reach_px` columns that differs by at most `tolerance`
    (relative), in the same row or one beside it, since scan lines are not level; the uppermost of several. Of the
    slopes to both sides the flatter one is taken, 0 if their signs differ.

    Args:
        inverse: (H,W) 1/m, measured where > 0.
        out: 0 elsewhere.
    """
    height_px, width_px = inverse.shape
    for row in range(height_px):
        for col in range(width_px):
            out[row, col] = 0
            if not inverse[row, col] > 0 or not _borders_on_unknown(inverse, row, col):
                continue
            to_left, has_left = _slope(inverse, row, col, -1, reach_px, tolerance)
            to_right, has_right = _slope(inverse, row, col, 1, reach_px, tolerance)
            if has_left and has_right:
                if to_left * to_right > 0:
                    out[row, col] = to_left if abs(to_left) < abs(to_right) else to_right
            else:
                out[row, col] = to_left + to_right


@njit(cache=True, nogil=True)
def _borders_on_unknown(inverse: NDArray[np.float32], row: int, col: int) -> bool:
    height_px, width_px = inverse.shape
    for r in (row - 1, row + 1):
        for c in range(max(0, col - 1), min(width_px, col + 2)):
            if 0 <= r < height_px and not inverse[r, c] > 0:
                return True
    return False


@njit(cache=True, nogil=True)
def _slope(  # type: ignore[no-untyped-def]
    inverse: NDArray[np.float32], row: int, col: int, step: int, reach_px: int, tolerance: float
):
    """Slope to the neighbour on one side, and whether it exists."""
    height_px, width_px = inverse.shape
    here = inverse[row, col]
    for k in range(reach_px, 0, -1):
        c = col + step * k
        if 0 <= c < width_px:
            for r in range(max(0, row - 1), min(height_px, row + 2)):
                if inverse[r, c] > 0 and abs(inverse[r, c] - here) <= np.float32(tolerance) * here:
                    return (inverse[r, c] - here) / np.float32(step * k), True
    return np.float32(0), False
