"""Height of the ground in cells of the plane."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(cache=True, nogil=True)
def ground_cells(
    z: NDArray[np.float32], cell_start: NDArray[np.int64], layer_m: float, out: NDArray[np.float64]
) -> None:
    """Mean height of the lowest layer of each cell's level surfels.

    Args:
        z: (N,) m, heights of level surfels, those of one cell one behind the other.
        cell_start: (C+1,) where each cell's begin; none is empty.
        layer_m: thickness of the lowest layer.
        out: (C,) m.
    """
    for cell in range(len(out)):
        begin, end = cell_start[cell], cell_start[cell + 1]
        lowest = float(z[begin:end].min())
        total, count = 0.0, 0
        for i in range(begin, end):
            if float(z[i]) <= lowest + layer_m:
                total += float(z[i])
                count += 1
        out[cell] = total / count
