"""Traversal of a grid of voxels along a ray, from voxel to voxel (Amanatides and Woo, 1987).

Voxel (i,j,k) is i to i + 1 and so on.

Voxels and places are tuples, which the compiler keeps in registers: half the time of small arrays.
"""

from __future__ import annotations

import numpy as np
from numba import njit

# i, j, k.
Voxel = tuple[int, int, int]
Shape = tuple[int, ...]
# A place or a direction in voxels, or a length of the way for each axis.
Triple = tuple[float, float, float]


@njit(cache=True, nogil=True, error_model="numpy")
def way_inside(start: Triple, unit: Triple, length: float, shape: Shape) -> tuple[float, float]:
    """Where on its way, so long, a ray enters and leaves a grid; none of it lies inside unless the first is less."""
    enter, leave = 0.0, length
    for axis in range(3):
        if unit[axis] == 0:
            if not 0 <= start[axis] < shape[axis]:
                leave = -1.0
            continue
        first, second = -start[axis] / unit[axis], (shape[axis] - start[axis]) / unit[axis]
        enter, leave = max(enter, min(first, second)), min(leave, max(first, second))
    return enter, leave


@njit(cache=True, nogil=True, error_model="numpy")
def voxel_at(start: Triple, unit: Triple, way: float, shape: Shape) -> Voxel:
    """The voxel at a length of the way that is inside the grid, whatever rounding does at its border."""
    x, y, z = start[0] + unit[0] * way, start[1] + unit[1] * way, start[2] + unit[2] * way
    return _whole(x, shape[0]), _whole(y, shape[1]), _whole(z, shape[2])


@njit(cache=True, nogil=True, error_model="numpy")
def borders_ahead(start: Triple, unit: Triple, at: Voxel) -> Triple:
    """Lengths of the way at which a ray crosses the planes that bound a voxel ahead; inf for an axis it is across."""
    return _border(start[0], unit[0], at[0]), _border(start[1], unit[1], at[1]), _border(start[2], unit[2], at[2])


@njit(cache=True, nogil=True, error_model="numpy")
def strides(unit: Triple) -> tuple[Triple, Voxel]:
    """For each axis: the way from one border to the next, and to which side it goes, 1 or -1."""
    apart = (1 / abs(unit[0]), 1 / abs(unit[1]), 1 / abs(unit[2]))
    return apart, (1 if unit[0] > 0 else -1, 1 if unit[1] > 0 else -1, 1 if unit[2] > 0 else -1)


@njit(cache=True, nogil=True, error_model="numpy")
def next_voxel(at: Voxel, borders: Triple, apart: Triple, side: Voxel) -> tuple[Voxel, Triple]:
    """The voxel beyond the nearest border, and the borders ahead of that one."""
    if borders[0] <= borders[1] and borders[0] <= borders[2]:
        return (at[0] + side[0], at[1], at[2]), (borders[0] + apart[0], borders[1], borders[2])
    if borders[1] <= borders[2]:
        return (at[0], at[1] + side[1], at[2]), (borders[0], borders[1] + apart[1], borders[2])
    return (at[0], at[1], at[2] + side[2]), (borders[0], borders[1], borders[2] + apart[2])


@njit(cache=True, nogil=True, error_model="numpy")
def is_inside(at: Voxel, shape: Shape) -> bool:
    """Whether a voxel is one of the grid's."""
    return 0 <= at[0] < shape[0] and 0 <= at[1] < shape[1] and 0 <= at[2] < shape[2]


@njit(cache=True, nogil=True, error_model="numpy")
def _whole(place: float, count: int) -> int:
    return min(max(int(np.floor(place)), 0), count - 1)


@njit(cache=True, nogil=True, error_model="numpy")
def _border(start: float, unit: float, at: int) -> float:
    if unit == 0:
        return np.inf
    return (at + (1 if unit > 0 else 0) - start) / unit
