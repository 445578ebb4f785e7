"""What lies in each cell, point by point of each."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def fill_pillars(
    cell: NDArray[np.int64],
    part: NDArray[np.int64],
    height: NDArray[np.float32],
    intensity: NDArray[np.float32],
    out: NDArray[np.float32],
) -> None:
    slices = out.shape[2] - 3
    for row, column in np.unique(cell, axis=0):
        here = (cell == (row, column)).all(axis=1)
        by_slice = [(part[here] == k).sum() for k in range(slices)]
        out[row, column] = [*np.log1p([*by_slice, here.sum()]), height[here].mean(), intensity[here].mean()]
