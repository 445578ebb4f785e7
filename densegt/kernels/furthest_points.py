"""Few points that cover many: each the one that is furthest from those chosen before."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(cache=True, nogil=True)
def furthest_points(xyz: NDArray[np.floating[Any]], out: NDArray[np.int64]) -> None:
    """Fill `out` (M,) with places in `xyz` (N,3), N > 0, from 0 on; of equally far ones the first.

    When all places are taken the first is taken again.
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
