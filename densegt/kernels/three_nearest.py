"""The three nearest neighbours."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(cache=True, nogil=True)
def three_nearest(xyz: NDArray[np.floating[Any]], few: NDArray[np.floating[Any]], out: NDArray[np.int64]) -> None:
    """Fill `out` (N,3) with the rows of `few` (M,3), M >= 3, nearest to each of `xyz` (N,3), of ties the first."""
    for i in range(len(xyz)):
        a, b, c = np.inf, np.inf, np.inf
        at_a, at_b, at_c = 0, 0, 0
        for m in range(len(few)):
            dx, dy, dz = xyz[i, 0] - few[m, 0], xyz[i, 1] - few[m, 1], xyz[i, 2] - few[m, 2]
            d = dx * dx + dy * dy + dz * dz
            if d >= c:
                continue
            if d < a:
                a, b, c, at_a, at_b, at_c = d, a, b, m, at_a, at_b
            elif d < b:
                b, c, at_b, at_c = d, b, m, at_b
            else:
                c, at_c = d, m
        out[i, 0], out[i, 1], out[i, 2] = at_a, at_b, at_c
