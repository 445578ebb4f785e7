"""What lies between the corners of triangles."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(cache=True)
def interpolate_corners(corners: NDArray[Any], triangle: NDArray[Any], bary: NDArray[Any], out: NDArray[Any]) -> None:
    """Values (N,D) on triangles (N,) of corner values (T,3,D), by weights (N,2) of the second and third corner."""
    for i in range(triangle.shape[0]):
        k = triangle[i]
        b, c = bary[i, 0], bary[i, 1]
        a = np.float32(1) - b - c
        for d in range(corners.shape[2]):
            out[i, d] = corners[k, 0, d] * a + corners[k, 1, d] * b + corners[k, 2, d] * c
