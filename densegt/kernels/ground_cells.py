"""Height of the ground in cells of the plane."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(cache=True, nogil=True)
def ground_cells(
    xyz: NDArray[np.float32],
    tangents: NDArray[np.float32],
    usable: NDArray[np.bool_],
    corner: NDArray[np.float64],
    cell_m: float,
    min_up: float,
    layer_m: float,
    out: NDArray[np.float64],
) -> None:
    """Mean height of the lowest layer of level surfels in each cell, NaN where there is none.

    Args:
        xyz: (N,3) m; tangents: (N,2,3); usable: (N,), surfels to use.
        corner: (2,) m, of cell (0,0); cell_m: side of a cell.
        min_up: least upward component of the unit normal of a level surfel.
        layer_m: thickness of the lowest layer.
        out: (X,Y) m.
    """
    lowest = np.full(out.shape, np.inf)
    total = np.zeros(out.shape)
    count = np.zeros(out.shape, dtype=np.int64)
    for collecting in (False, True):
        for i in range(len(xyz)):
            a, b = tangents[i, 0], tangents[i, 1]
            if not usable[i] or not abs(a[0] * b[1] - a[1] * b[0]) >= min_up:
                continue
            x = int(np.floor((xyz[i, 0] - corner[0]) / cell_m))
            y = int(np.floor((xyz[i, 1] - corner[1]) / cell_m))
            if not (0 <= x < out.shape[0] and 0 <= y < out.shape[1]):
                continue
            z = float(xyz[i, 2])
            if not collecting:
                lowest[x, y] = min(lowest[x, y], z)
            elif z <= lowest[x, y] + layer_m:
                total[x, y] += z
                count[x, y] += 1
    for x in range(out.shape[0]):
        for y in range(out.shape[1]):
            out[x, y] = total[x, y] / count[x, y] if count[x, y] else np.nan
