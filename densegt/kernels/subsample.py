"""Random subsampling of points and surfels in cells of image and depth."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from densegt.kernels.beam_lookup import BLOCK
from densegt.kernels.frustum import Pinhole

Float32 = NDArray[np.float32]
# fx, fy, cx, cy in px.
Intrinsics = tuple[np.float32, np.float32, np.float32, np.float32]

# Size of a cell in the image; in depth it is an eighth of an octave.
CELL_PX = 8
_PER_CELL = np.float32(1 / CELL_PX)
# Depth by exponent and three bits of mantissa, from 1/8 m on.
_SHIFT, _DEPTHS = 20, 128
_NEAREST = 0x3E000000 >> _SHIFT
# Multiples of the golden ratio modulo 1: a low-discrepancy sequence over rows.
_GOLDEN = 0.6180339887498949


@njit(cache=True, nogil=True, inline="always")
def _cell(u: np.float32, v: np.float32, z: np.float32, rows: int, cols: int) -> np.int32:
    """Index of the cell of a pixel and a depth; a border of one cell takes what lies beside the image."""
    one, none = np.float32(1), np.float32(0)
    col = np.int32(min(max(u * _PER_CELL + one, none), np.float32(cols - 1)))
    row = np.int32(min(max(v * _PER_CELL + one, none), np.float32(rows - 1)))
    depth = np.int32((np.float32(z).view(np.int32) >> np.int32(_SHIFT)) - np.int32(_NEAREST))
    return np.int32(
        (row * np.int32(cols) + col) * np.int32(_DEPTHS) + min(max(depth, np.int32(0)), np.int32(_DEPTHS - 1))
    )


@njit(cache=True, nogil=True, error_model="numpy")
def _cells(
    xyz: tuple[Float32, Float32, Float32],
    T: Float32,
    intrinsics: Intrinsics,
    rows: int,
    cols: int,
    cell: NDArray[np.int32],
) -> None:
    """Write the cells (N,) of points, given by coordinate and transformed by T (4,4)."""
    p, q, r = xyz
    fx, fy, cx, cy = intrinsics
    t00, t01, t02, t03 = T[0, 0], T[0, 1], T[0, 2], T[0, 3]
    t10, t11, t12, t13 = T[1, 0], T[1, 1], T[1, 2], T[1, 3]
    t20, t21, t22, t23 = T[2, 0], T[2, 1], T[2, 2], T[2, 3]
    for k in range(len(cell)):
        z = t20 * p[k] + t21 * q[k] + t22 * r[k] + t23
        per_z = np.float32(1) / z
        u = fx * (t00 * p[k] + t01 * q[k] + t02 * r[k] + t03) * per_z + cx
        v = fy * (t10 * p[k] + t11 * q[k] + t12 * r[k] + t13) * per_z + cy
        cell[k] = _cell(u, v, z, rows, cols)


@njit(cache=True, nogil=True, error_model="numpy")
def subsample_points(
    xyz: Float32,
    sweep: NDArray[np.int32],
    exempt: NDArray[np.bool_],
    T_cam_src: NDArray[np.float64],
    camera: Pinhole,
    density: float,
    rows: NDArray[np.int32],
    share: Float32,
) -> int:
    """Move the kept ones of the points `rows` (M,) to its front; return how many they are.

    In each cell of image and depth about `density` points per pixel are kept.

    Args:
        xyz: (N,3) m in src, those of `rows` ahead of the camera; sweep: (N,) index.
        exempt: (S,), sweeps of which all points are kept.
        share: out (M,), probability with which each kept point was kept; 1/share is its weight.
    """
    K = camera.K
    T, fx, fy = T_cam_src.astype(np.float32), np.float32(K[0, 0]), np.float32(K[1, 1])
    cx, cy = np.float32(K[0, 2]), np.float32(K[1, 2])
    cell_rows, cell_cols = camera.height_px // CELL_PX + 3, camera.width_px // CELL_PX + 3
    inhabitants = np.zeros(cell_rows * cell_cols * _DEPTHS, dtype=np.int32)
    cell = np.empty(len(rows), dtype=np.int32)
    place = np.empty((3, BLOCK), dtype=np.float32)
    for begin in range(0, len(rows), BLOCK):
        count = min(BLOCK, len(rows) - begin)
        here = cell[begin : begin + count]
        for k in range(count):
            i = rows[begin + k]
            place[0, k], place[1, k], place[2, k] = xyz[i, 0], xyz[i, 1], xyz[i, 2]
        _cells((place[0], place[1], place[2]), T, (fx, fy, cx, cy), cell_rows, cell_cols, here)
        for k in range(count):
            inhabitants[here[k]] += 1
    enough = np.float32(density * CELL_PX * CELL_PX)
    count = 0
    for m in range(len(rows)):
        i, probability = rows[m], enough / max(np.float32(inhabitants[cell[m]]), enough)
        draw = i * _GOLDEN
        always = exempt[sweep[i]]
        rows[count], share[count] = i, np.float32(1) if always else probability
        count += always or draw - np.floor(draw) < probability
    return count


@njit(cache=True, nogil=True, error_model="numpy")
def subsample_surfels(
    xyz_cam: Float32,
    half_m: Float32,
    incidence: Float32,
    reach_px: Float32,
    camera: Pinhole,
    layers: float,
    count: int,
    share: Float32,
) -> None:
    """Multiply `share` (N,) by each surfel's probability to be kept, 0 for those dropped; 1/share is the weight.

    In each cell of image and depth about as many surfels are kept as cover it `layers` times.

    Args:
        xyz_cam: (N,3) m, all ahead of the camera; half_m: (N,4) reach; incidence: (N,), see `viewing_geometry`.
        reach_px: (N,), greatest distance of a covered pixel from the surfel's point.
        count: only the first so many are subsampled.
    """
    K = camera.K
    fx, fy, cx, cy = np.float32(K[0, 0]), np.float32(K[1, 1]), np.float32(K[0, 2]), np.float32(K[1, 2])
    rows, cols = camera.height_px // CELL_PX + 3, camera.width_px // CELL_PX + 3
    flat = np.zeros(rows * cols * _DEPTHS, dtype=np.float32)
    cell = np.empty(count, dtype=np.int32)
    for i in range(count):
        x, y, z = xyz_cam[i, 0], xyz_cam[i, 1], xyz_cam[i, 2]
        cell[i] = _cell(fx * x / z + cx, fy * y / z + cy, z, rows, cols)
        wide, high = half_m[i, 0] + half_m[i, 1], half_m[i, 2] + half_m[i, 3]
        area = wide * high * incidence[i] * np.sqrt(x * x + y * y + z * z) / (z * z * z) * fx * fy
        flat[cell[i]] += min(area, 4 * reach_px[i] * reach_px[i])
    enough = np.float32(layers * CELL_PX * CELL_PX)
    for i in range(count):
        probability = enough / max(flat[cell[i]], enough)
        draw = i * _GOLDEN
        share[i] = share[i] * probability if draw - np.floor(draw) < probability else 0
