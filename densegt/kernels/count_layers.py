"""Counts of returns on a surface and behind it."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(cache=True, nogil=True)
def count_layers(
    xyz_cam: NDArray[np.float32],
    counted: NDArray[np.bool_],
    K: NDArray[np.float64],
    front_m: NDArray[np.float32],
    relative: float,
    absolute_m: float,
    on: NDArray[np.float32],
    behind: NDArray[np.float32],
) -> None:
    """Add to `on` and `behind` (H,W) the number of points of each pixel on the front surface, or behind it.

    Args:
        xyz_cam: (N,3) m; counted: (N,), points to count.
        front_m: (H,W) m, infinity = none; a point is behind if farther by more than `absolute_m + relative * z`.
    """
    height_px, width_px = front_m.shape
    for i in range(len(xyz_cam)):
        z = xyz_cam[i, 2]
        if not counted[i] or not z > 0:
            continue
        u = K[0, 0] * xyz_cam[i, 0] / z + K[0, 2]
        v = K[1, 1] * xyz_cam[i, 1] / z + K[1, 2]
        if not (-0.5 <= u < width_px - 0.5 and -0.5 <= v < height_px - 0.5):
            continue
        col, row = int(np.floor(u + 0.5)), int(np.floor(v + 0.5))
        if z * (1 - relative) - absolute_m > front_m[row, col]:
            behind[row, col] += 1
        else:
            on[row, col] += 1
