"""Leaves out points where many crowd a pixel, and surfels where many lie over one another."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from densegt.kernels.beam_lookup import BLOCK

Float32 = NDArray[np.float32]

# They share a cell if they are this near in the image, and in depth to within an eighth of an octave.
CELL_PX = 8
_PER_CELL = np.float32(1 / CELL_PX)
# Depth by exponent and three bits of mantissa, from 1/8 m on.
_SHIFT, _DEPTHS = 20, 128
_NEAREST = 0x3E000000 >> _SHIFT
# Multiples of the golden ratio: rows that follow one another get numbers that lie far apart.
_GOLDEN = 0.6180339887498949


@njit(cache=True, nogil=True, inline="always")
def _cell(u: np.float32, v: np.float32, z: np.float32, rows: int, cols: int) -> np.int32:
    """The cell of a pixel and a depth; what lies beside the image goes to a border of one cell."""
    one, none = np.float32(1), np.float32(0)
    col = np.int32(min(max(u * _PER_CELL + one, none), np.float32(cols - 1)))
    row = np.int32(min(max(v * _PER_CELL + one, none), np.float32(rows - 1)))
    depth = np.int32((np.float32(z).view(np.int32) >> np.int32(_SHIFT)) - np.int32(_NEAREST))
    return np.int32(
        (row * np.int32(cols) + col) * np.int32(_DEPTHS) + min(max(depth, np.int32(0)), np.int32(_DEPTHS - 1))
    )


@njit(cache=True, nogil=True, error_model="numpy")
def _cells(
    p: Float32,
    q: Float32,
    r: Float32,
    T: Float32,
    fx: np.float32,
    fy: np.float32,
    cx: np.float32,
    cy: np.float32,
    down: int,
    along: int,
    cell: NDArray[np.int32],
) -> None:
    """Write the cells (N,) of places p, q, r, moved by T (4,4)."""
    t00, t01, t02, t03 = T[0, 0], T[0, 1], T[0, 2], T[0, 3]
    t10, t11, t12, t13 = T[1, 0], T[1, 1], T[1, 2], T[1, 3]
    t20, t21, t22, t23 = T[2, 0], T[2, 1], T[2, 2], T[2, 3]
    for k in range(len(cell)):
        z = t20 * p[k] + t21 * q[k] + t22 * r[k] + t23
        per_z = np.float32(1) / z
        u = fx * (t00 * p[k] + t01 * q[k] + t02 * r[k] + t03) * per_z + cx
        v = fy * (t10 * p[k] + t11 * q[k] + t12 * r[k] + t13) * per_z + cy
        cell[k] = _cell(u, v, z, down, along)


@njit(cache=True, nogil=True, error_model="numpy")
def subsample_points(
    xyz: Float32,
    sweep: NDArray[np.int32],
    stays: NDArray[np.bool_],
    T_cam_src: NDArray[np.float64],
    K: NDArray[np.float64],
    height_px: int,
    width_px: int,
    most: float,
    rows: NDArray[np.int32],
    share: Float32,
) -> int:
    """Leave out some of the points named by `rows` (M,): those kept move to its front; return how many they are.

    Where a street runs away from the camera, thousands of points crowd a pixel. In each cell of image and depth about
    `most` points a pixel are kept.

    Args:
        xyz: (N,3) m in src, those of `rows` ahead of the camera; sweep: (N,), which measured it.
        stays: (S,), sweeps of which none is left out.
        share: out (M,), with what chance each of those kept was kept; 1/share makes up for the others.
    """
    T, fx, fy = T_cam_src.astype(np.float32), np.float32(K[0, 0]), np.float32(K[1, 1])
    cx, cy = np.float32(K[0, 2]), np.float32(K[1, 2])
    down, along = height_px // CELL_PX + 3, width_px // CELL_PX + 3
    inhabitants = np.zeros(down * along * _DEPTHS, dtype=np.int32)
    cell = np.empty(len(rows), dtype=np.int32)
    place = np.empty((3, BLOCK), dtype=np.float32)
    for begin in range(0, len(rows), BLOCK):
        count = min(BLOCK, len(rows) - begin)
        here = cell[begin : begin + count]
        for k in range(count):
            i = rows[begin + k]
            place[0, k], place[1, k], place[2, k] = xyz[i, 0], xyz[i, 1], xyz[i, 2]
        _cells(place[0], place[1], place[2], T, fx, fy, cx, cy, down, along, here)
        for k in range(count):
            inhabitants[here[k]] += 1
    enough = np.float32(most * CELL_PX * CELL_PX)
    count = 0
    for m in range(len(rows)):
        i, chance = rows[m], enough / max(np.float32(inhabitants[cell[m]]), enough)
        draw = i * _GOLDEN
        stay = stays[sweep[i]]
        rows[count], share[count] = i, np.float32(1) if stay else chance
        count += stay or draw - np.floor(draw) < chance
    return count


@njit(cache=True, nogil=True, error_model="numpy")
def subsample_surfels(
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
    """Multiply `share` (N,) by the chance of each surfel to be kept, 0 for those left out; 1/share makes up for it.

    In each cell of image and depth about as many surfels are kept as cover it `layers` times. What lies deeper only
    costs time: its mean is as good from a few.

    Args:
        xyz_cam: (N,3) m, all ahead of the camera; half_m: (N,4) reaches; incidence: (N,), see `judge_patches`.
        reach_px: (N,), each surfel is cut to this many pixels around its point.
        count: so many, the first ones, may be left out.
    """
    fx, fy, cx, cy = np.float32(K[0, 0]), np.float32(K[1, 1]), np.float32(K[0, 2]), np.float32(K[1, 2])
    rows, cols = height_px // CELL_PX + 3, width_px // CELL_PX + 3
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
        chance = enough / max(flat[cell[i]], enough)
        draw = i * _GOLDEN
        share[i] = share[i] * chance if draw - np.floor(draw) < chance else 0
