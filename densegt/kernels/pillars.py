"""A scan seen from above: what lies in each cell, by height."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Float32 = NDArray[np.float32]


@njit(cache=True, nogil=True, error_model="numpy")
def fill_pillars(
    cell: NDArray[np.int64], part: NDArray[np.int64], height: Float32, intensity: Float32, out: Float32
) -> None:
    """Write log counts by slice and of all, mean height and mean intensity of each cell that holds a point.

    Args:
        cell: (N,2) row and column of each point; part: (N,) its slice; height: (N,) m; intensity: (N,).
        out: (H,W,slices+3), zero where no point lies.
    """
    slices = out.shape[2] - 3
    for i in range(len(cell)):
        at = out[cell[i, 0], cell[i, 1]]
        at[part[i]] += 1
        at[slices] += 1
        at[slices + 1] += height[i]
        at[slices + 2] += intensity[i]
    done = np.zeros(out.shape[:2], dtype=np.bool_)
    for i in range(len(cell)):
        row, column = cell[i, 0], cell[i, 1]
        if done[row, column]:
            continue
        done[row, column] = True
        at = out[row, column]
        at[slices + 1] /= at[slices]
        at[slices + 2] /= at[slices]
        for k in range(slices + 1):
            if at[k] > 0:
                at[k] = np.log1p(at[k])


@njit(cache=True, nogil=True, error_model="numpy")
def add_shares(cell: NDArray[np.int64], shares: Float32, count: NDArray[np.int32], out: Float32) -> None:
    """Write the mean of shares (N,F) of each cell that holds a point.

    Args:
        cell: (N,2) row and column of each point.
        count: (H,W), zero; how many points each cell holds.
        out: (F,H,W), zero where no point lies.
    """
    for i in range(len(cell)):
        row, column = cell[i, 0], cell[i, 1]
        count[row, column] += 1
        # A mean that goes on: no second pass is needed.
        part = np.float32(1.0) / np.float32(count[row, column])
        for f in range(shares.shape[1]):
            out[f, row, column] += (shares[i, f] - out[f, row, column]) * part


@njit(cache=True, nogil=True)
def fullness(pillars: Float32, cell: NDArray[np.int64], part: NDArray[np.int64], own: Float32, whole: Float32) -> None:
    """Look up how full points' (N) own cell and slice are, and their cell.

    Args:
        pillars: (H,W,slices+3) of `fill_pillars`; cell: (N,2) row and column; part: (N,) slice.
        own, whole: (N,), to be written.
    """
    slices = pillars.shape[2] - 3
    for i in range(len(cell)):
        at = pillars[cell[i, 0], cell[i, 1]]
        own[i] = at[part[i]]
        whole[i] = at[slices]
