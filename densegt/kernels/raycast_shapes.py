"""Intersection of a ray with a convex polyhedron, an ellipsoid, a capsule, a cylinder or a building.

Each takes the ray in the shape's own frame and returns (distance, normal x, y, z), distance -1 for a miss. Only entries
count: a ray that begins inside a shape misses it.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from densegt.kernels.hashing import lattice

Array = NDArray[np.float64]
Hit = tuple[float, float, float, float]


class Ray(NamedTuple):
    """Origin and unit direction, m."""

    ox: float
    oy: float
    oz: float
    dx: float
    dy: float
    dz: float


POLYHEDRON, ELLIPSOID, CAPSULE, CYLINDER, BUILDING = 0, 1, 2, 3, 4
WALL, WINDOW, REVEAL, ROOF = 0, 1, 2, 3
"""Codes of a building's parts."""


@njit(cache=True)
def polyhedron_hit(ray: Ray, planes: Array, start: int, stop: int) -> Hit:
    """`planes` (Q,4) are outward unit normals and offsets: inside is n.x <= offset for start <= q < stop."""
    ox, oy, oz, dx, dy, dz = ray
    near, far, face = -1.0e30, 1.0e30, -1
    for q in range(start, stop):
        along = planes[q, 0] * dx + planes[q, 1] * dy + planes[q, 2] * dz
        gap = planes[q, 3] - (planes[q, 0] * ox + planes[q, 1] * oy + planes[q, 2] * oz)
        if along < -1e-12:
            t = gap / along
            if t > near:
                near, face = t, q
        elif along > 1e-12:
            far = min(far, gap / along)
        elif gap < 0.0:
            return -1.0, 0.0, 0.0, 0.0
        if near > far:
            return -1.0, 0.0, 0.0, 0.0
    if face < 0 or near <= 0.0:
        return -1.0, 0.0, 0.0, 0.0
    return near, planes[face, 0], planes[face, 1], planes[face, 2]


@njit(cache=True)
def ellipsoid_hit(ray: Ray, p: Array) -> Hit:
    """p: middle (3), half axes (3)."""
    ox, oy, oz, dx, dy, dz = ray
    sx, sy, sz = (ox - p[0]) / p[3], (oy - p[1]) / p[4], (oz - p[2]) / p[5]
    ex, ey, ez = dx / p[3], dy / p[4], dz / p[5]
    a = ex * ex + ey * ey + ez * ez
    b = sx * ex + sy * ey + sz * ez
    c = sx * sx + sy * sy + sz * sz - 1.0
    h = b * b - a * c
    if h < 0.0:
        return -1.0, 0.0, 0.0, 0.0
    t = (-b - math.sqrt(h)) / a
    if t <= 0.0:
        return -1.0, 0.0, 0.0, 0.0
    nx, ny, nz = (sx + t * ex) / p[3], (sy + t * ey) / p[4], (sz + t * ez) / p[5]
    n = 1.0 / math.sqrt(nx * nx + ny * ny + nz * nz)
    return t, nx * n, ny * n, nz * n


@njit(cache=True)
def capsule_hit(ray: Ray, p: Array) -> Hit:
    """p: ends of the axis (3), (3), radius."""
    ox, oy, oz, dx, dy, dz = ray
    ax, ay, az = p[3] - p[0], p[4] - p[1], p[5] - p[2]
    sx, sy, sz, r = ox - p[0], oy - p[1], oz - p[2], p[6]
    aa = ax * ax + ay * ay + az * az
    ad = ax * dx + ay * dy + az * dz
    as_ = ax * sx + ay * sy + az * sz
    a = aa - ad * ad
    b = aa * (dx * sx + dy * sy + dz * sz) - as_ * ad
    c = aa * (sx * sx + sy * sy + sz * sz) - as_ * as_ - r * r * aa
    h = b * b - a * c
    if h < 0.0:
        return -1.0, 0.0, 0.0, 0.0
    along = 0.0
    if a > 1e-9 * aa:
        t = (-b - math.sqrt(h)) / a
        along = (as_ + t * ad) / aa
        if 0.0 < along < 1.0:
            if t <= 0.0:
                return -1.0, 0.0, 0.0, 0.0
            return (
                t,
                (sx + t * dx - along * ax) / r,
                (sy + t * dy - along * ay) / r,
                (sz + t * dz - along * az) / r,
            )
    elif ad < 0.0:  # a ray along the axis meets the cap it comes from
        along = 1.0
    end = 1.0 if along >= 1.0 else 0.0
    sx, sy, sz = sx - end * ax, sy - end * ay, sz - end * az
    b = sx * dx + sy * dy + sz * dz
    h = b * b - (sx * sx + sy * sy + sz * sz - r * r)
    if h < 0.0:
        return -1.0, 0.0, 0.0, 0.0
    t = -b - math.sqrt(h)
    if t <= 0.0:
        return -1.0, 0.0, 0.0, 0.0
    return t, (sx + t * dx) / r, (sy + t * dy) / r, (sz + t * dz) / r


@njit(cache=True)
def cylinder_hit(ray: Ray, p: Array) -> Hit:
    """p: ends of the axis (3), (3), radius; flat caps."""
    ox, oy, oz, dx, dy, dz = ray
    ax, ay, az = p[3] - p[0], p[4] - p[1], p[5] - p[2]
    sx, sy, sz, r = ox - p[0], oy - p[1], oz - p[2], p[6]
    length = math.sqrt(ax * ax + ay * ay + az * az)
    ax, ay, az = ax / length, ay / length, az / length
    ad = ax * dx + ay * dy + az * dz
    as_ = ax * sx + ay * sy + az * sz
    a = 1.0 - ad * ad
    b = dx * sx + dy * sy + dz * sz - as_ * ad
    c = sx * sx + sy * sy + sz * sz - as_ * as_ - r * r
    h = b * b - a * c
    if h < 0.0:
        return -1.0, 0.0, 0.0, 0.0
    if a > 1e-12:
        t = (-b - math.sqrt(h)) / a
        along = as_ + t * ad
        if 0.0 <= along <= length:
            if t <= 0.0:
                return -1.0, 0.0, 0.0, 0.0
            return (
                t,
                (sx + t * dx - along * ax) / r,
                (sy + t * dy - along * ay) / r,
                (sz + t * dz - along * az) / r,
            )
    if abs(ad) < 1e-12:
        return -1.0, 0.0, 0.0, 0.0
    sign = -1.0 if ad > 0.0 else 1.0
    t = ((0.0 if ad > 0.0 else length) - as_) / ad
    qx, qy, qz = sx + t * dx, sy + t * dy, sz + t * dz
    along = qx * ax + qy * ay + qz * az
    if t <= 0.0 or qx * qx + qy * qy + qz * qz - along * along > r * r:
        return -1.0, 0.0, 0.0, 0.0
    return t, sign * ax, sign * ay, sign * az


@njit(cache=True)
def window_cell(s: float, h: float, half_m: float, p: Array) -> tuple[bool, float, float, float, float]:
    """Whether (s, h) of a facade is in a window, and that window's edges (s low, s high, h low, h high).

    p: half sizes x, y and height z (3), pitch, storey, width, height, recess, sill (see `simulate.solids.building`).
    """
    pitch, storey = p[3], p[4]
    columns = math.floor(2.0 * (half_m - 0.5) / pitch)
    if columns < 1:
        return False, 0.0, 0.0, 0.0, 0.0
    first = -0.5 * columns * pitch
    i, j = math.floor((s - first) / pitch), math.floor(h / storey)
    low_s = first + (i + 0.5) * pitch - 0.5 * p[5]
    low_h = j * storey + p[8]
    inside = (
        0 <= i < columns
        and j >= 0
        and (j + 1) * storey < p[2]
        and low_s < s < low_s + p[5]
        and low_h < h < low_h + p[6]
    )
    return inside, low_s, low_s + p[5], low_h, low_h + p[6]


@njit(cache=True)
def building_hit(ray: Ray, p: Array) -> tuple[float, float, float, float, int]:
    """A box from z = 0 with recessed windows in its four walls; the last value is the part that was hit."""
    ox, oy, oz, dx, dy, dz = ray
    miss = (-1.0, 0.0, 0.0, 0.0, 0)
    tx = _slab(ox, dx, -p[0], p[0])
    ty = _slab(oy, dy, -p[1], p[1])
    tz = _slab(oz, dz, -1.0e3, p[2])  # no floor: nothing looks from below
    near, far = max(tx[0], ty[0], tz[0]), min(tx[1], ty[1], tz[1])
    if near > far or near <= 0.0:
        return miss
    if tz[0] >= near:
        return near, 0.0, 0.0, 1.0, ROOF
    across_x = tx[0] >= near
    s = oy + near * dy if across_x else ox + near * dx
    ds = dy if across_x else dx
    into = dx if across_x else dy
    h = oz + near * dz
    sign = -1.0 if into > 0.0 else 1.0
    nx, ny = (sign, 0.0) if across_x else (0.0, sign)
    inside, s0, s1, h0, h1 = window_cell(s, h, p[1] if across_x else p[0], p)
    if not inside:
        return near, nx, ny, 0.0, WALL
    deep = p[7] / abs(into)
    side = ((s1 if ds > 0.0 else s0) - s) / ds if abs(ds) > 1e-12 else 1.0e30
    updown = ((h1 if dz > 0.0 else h0) - h) / dz if abs(dz) > 1e-12 else 1.0e30
    if deep <= side and deep <= updown:
        return near + deep, nx, ny, 0.0, WINDOW
    if side < updown:
        turn = -1.0 if ds > 0.0 else 1.0
        return near + side, (0.0 if across_x else turn), (turn if across_x else 0.0), 0.0, REVEAL
    return near + updown, 0.0, 0.0, (-1.0 if dz > 0.0 else 1.0), REVEAL


@njit(cache=True)
def _slab(o: float, d: float, low: float, high: float) -> tuple[float, float]:
    if abs(d) < 1e-12:
        return (-1.0e30, 1.0e30) if low <= o <= high else (1.0e30, -1.0e30)
    a, b = (low - o) / d, (high - o) / d
    return (a, b) if a < b else (b, a)


@njit(cache=True)
def facade_axis(p: NDArray[np.float32], param: Array) -> int:
    """Axis, 0 or 1, that a building's wall faces at a point p (3,)."""
    return 0 if abs(abs(p[0]) - param[0]) < abs(abs(p[1]) - param[1]) else 1


@njit(cache=True)
def pane_is_glass(p: NDArray[np.float32], param: Array, seed: int) -> bool:
    """Whether the window at p (3,) is glass, transparent to the lidar, as two of three are; the others have blinds."""
    axis = facade_axis(p, param)
    columns = math.floor(2.0 * (param[1 - axis] - 0.5) / param[3])
    i = math.floor((p[1 - axis] + 0.5 * columns * param[3]) / param[3])
    side = 2 * axis + (1 if p[axis] > 0 else 0)
    return lattice(i, math.floor(p[2] / param[4]), side, seed) < 0.65
