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


def add_shares(
    cell: NDArray[np.int64], shares: NDArray[np.float32], count: NDArray[np.int32], out: NDArray[np.float32]
) -> None:
    for row, column in np.unique(cell, axis=0):
        here = (cell == (row, column)).all(axis=1)
        count[row, column], out[:, row, column] = here.sum(), shares[here].mean(axis=0)


def fullness(
    pillars: NDArray[np.float32],
    cell: NDArray[np.int64],
    part: NDArray[np.int64],
    own: NDArray[np.float32],
    whole: NDArray[np.float32],
) -> None:
    own[:] = pillars[cell[:, 0], cell[:, 1], part]
    whole[:] = pillars[cell[:, 0], cell[:, 1], pillars.shape[2] - 3]
