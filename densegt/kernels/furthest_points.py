"""Furthest point sampling."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(cache=True, nogil=True)
def furthest_points(xyz: NDArray[np.floating[Any]], out: NDArray[np.int64]) -> None:
    """Fill `out` (M,) with rows of `xyz` (N,3), N > 0: row 0, then each the furthest from those before.

    Of ties the first; when all points are chosen row 0 is repeated.
    """
    squared = np.full(len(xyz), np.inf, xyz.dtype)
    last = 0
    for m in range(len(out)):
        out[m] = last
        x, y, z = xyz[last]
        best, furthest = 0, squared[0]
        for i in range(len(xyz)):
            dx, dy, dz = xyz[i, 0] - x, xyz[i, 1] - y, xyz[i, 2] - z
            d = dx * dx + dy * dy + dz * dz
            if d < squared[i]:
                squared[i] = d
            if i == 0 or squared[i] > furthest:
                best, furthest = i, squared[i]
        last = best
