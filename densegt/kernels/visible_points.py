"""Which point each pixel shows."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(cache=True, nogil=True)
def visible_points(
    xyz_cam: NDArray[np.float32],
    K: NDArray[np.float64],
    front_m: NDArray[np.float32],
    relative: float,
    absolute_m: float,
    shown: NDArray[np.int32],
) -> None:
    """Find the nearest point in each pixel that is not hidden by a surface.

    A point is hidden where the surface in front of it is nearer by more than `absolute_m + relative * z`. Of equally
    near points the first is shown.

    Args:
        xyz_cam: (N,3) m.
        front_m: (H,W) m, the nearest surface, infinity where there is none.
        shown: out (H,W), -1 at first; the row of the point shown.
    """
    height_px, width_px = shown.shape
    for i in range(len(xyz_cam)):
        z = xyz_cam[i, 2]
        if not z > 0:
            continue
        u = K[0, 0] * xyz_cam[i, 0] / z + K[0, 2]
        v = K[1, 1] * xyz_cam[i, 1] / z + K[1, 2]
        if not (-0.5 <= u < width_px - 0.5 and -0.5 <= v < height_px - 0.5):
            continue
        col, row = int(np.floor(u + 0.5)), int(np.floor(v + 0.5))
        if z * (1 - relative) - absolute_m > front_m[row, col]:
            continue
        best = shown[row, col]
        if best < 0 or z < xyz_cam[best, 2]:
            shown[row, col] = i
