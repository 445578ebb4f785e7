"""Depth to inverse depth, and back."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(cache=True, nogil=True)
def invert(values: NDArray[np.float32], at_least: float, out: NDArray[np.float32]) -> None:
    """Fill `out` (H,W) with 1/value; 0 where the value (H,W) is not finite or less than `at_least`, which is > 0."""
    least = np.float32(at_least)
    for row in range(values.shape[0]):
        for col in range(values.shape[1]):
            value = values[row, col]
            known = value >= least and value < np.inf
            out[row, col] = np.float32(1) / value if known else np.float32(0)
