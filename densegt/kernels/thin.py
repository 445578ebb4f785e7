"""Leaves out patches where many lie over one another."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Float32 = NDArray[np.float32]

# Patches share a cell if they are this near in the image, and in depth to within an eighth of an octave.
CELL_PX = 8
# Depth by exponent and three bits of mantissa, from 1/8 m on.
_SHIFT, _DEPTHS = 20, 128
_NEAREST = 0x3E000000 >> _SHIFT
# Multiples of the golden ratio: rows that follow one another get numbers that lie far apart.
_GOLDEN = 0.6180339887498949


@njit(cache=True, nogil=True, error_model="numpy")
def thin(
    xyz_cam: Float32,
    half_m: Float32,
    incidence: Float32,
    reach_px: Float32,
    K: NDArray[np.float64],
    height_px: int,
    width_px: int,
    layers: float,
    count: int,
    share: Float32,
) -> None:
    """Write to `share` (N,) with what chance each patch was kept, 0 for those left out; 1/share makes up for them.

    In each cell of image and depth about as many patches are kept as cover it `layers` times. What lies deeper only
    costs time: its mean is as good from a few.

    Args:
        xyz_cam: (N,3) m, all ahead of the camera; half_m: (N,4) reaches; incidence: (N,), see `judge_patches`.
        reach_px: (N,), each patch is cut to this many pixels around its point.
        count: so many, the first ones, may be left out.
    """
    fx, fy, cx, cy = np.float32(K[0, 0]), np.float32(K[1, 1]), np.float32(K[0, 2]), np.float32(K[1, 2])
    rows, cols = height_px // CELL_PX + 3, width_px // CELL_PX + 3
    covered = np.zeros((rows, cols, _DEPTHS), dtype=np.float32)
    cell = np.empty(count, dtype=np.int32)
    flat = covered.reshape(-1)
    for i in range(count):
        x, y, z = xyz_cam[i, 0], xyz_cam[i, 1], xyz_cam[i, 2]
        u, v = fx * x / z + cx, fy * y / z + cy
        # What lies beside the image goes to a border of one cell.
        col = int(min(max(float(u) / CELL_PX, -1.0), cols - 2.0)) + 1
        row = int(min(max(float(v) / CELL_PX, -1.0), rows - 2.0)) + 1
        depth = (int(np.float32(z).view(np.int32)) >> _SHIFT) - _NEAREST
        cell[i] = (row * cols + col) * _DEPTHS + min(max(depth, 0), _DEPTHS - 1)
        wide, high = half_m[i, 0] + half_m[i, 1], half_m[i, 2] + half_m[i, 3]
        area = wide * high * incidence[i] * np.sqrt(x * x + y * y + z * z) / (z * z * z) * fx * fy
        flat[cell[i]] += min(area, 4 * reach_px[i] * reach_px[i])
    enough = np.float32(layers * CELL_PX * CELL_PX)
    for i in range(count):
        chance = enough / max(flat[cell[i]], enough)
        draw = i * _GOLDEN
        share[i] = chance if draw - np.floor(draw) < chance else 0
    for i in range(count, len(share)):
        share[i] = 1
