"""Ray casting of cameras and lidars in a world of ground and rigid parts made of simple shapes."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from densegt.kernels.raycast_ground import ground_hit, ground_normal
from densegt.kernels.raycast_shapes import (
    BUILDING,
    CAPSULE,
    CYLINDER,
    ELLIPSOID,
    POLYHEDRON,
    Ray,
    building_hit,
    capsule_hit,
    cylinder_hit,
    ellipsoid_hit,
    polyhedron_hit,
)

Array = NDArray[np.float64]
GROUND_PART, NO_PART = -2, -1


class Shapes(NamedTuple):
    """The world's geometry, flat. Part i owns shapes part_start[i] to part_start[i + 1], all in its own frame.

    Attributes:
        kind: (N,) int64, code of the shape.
        param: (N,9) float64, by shape (see raycast_shapes).
        sphere: (N,4) bounding sphere in the part's frame: middle, radius.
        plane_start: (N+1,) int64 into planes (Q,4), for polyhedra.
        part_start: (P+1,) int64.
        part_sphere: (P,4) bounding sphere of the whole part in its frame.
        ground: (26,) parameters of the ground.
    """

    kind: NDArray[np.int64]
    param: Array
    sphere: Array
    plane_start: NDArray[np.int64]
    planes: Array
    part_start: NDArray[np.int64]
    part_sphere: Array
    ground: Array


class Surfaces(NamedTuple):
    """Appearance of the N shapes.

    Attributes:
        material: (N,) int64 codes of simulate.materials.Material; colour: (N,3) float64, red green blue in 0..1.
        reflectance: (N,) float64, factor of the material's reflectivity to the lidar.
    """

    material: NDArray[np.int64]
    colour: Array
    reflectance: Array


class Hits(NamedTuple):
    """First hits of R rays; part is NO_PART and range 0 where there is none.

    Attributes:
        range_m: (R,) float64.
        part: (R,) int32, GROUND_PART or NO_PART or an index.
        shape: (R,) int32 index of the shape in the world, -1 for ground and none.
        detail: (R,) int32, the building's part that was hit.
        normal: (R,3) float32 in world.
        local: (R,3) float32 the point in its part's frame (world for the ground).
    """

    range_m: Array
    part: NDArray[np.int32]
    shape: NDArray[np.int32]
    detail: NDArray[np.int32]
    normal: NDArray[np.float32]
    local: NDArray[np.float32]


@njit(cache=True)
def _shape_hit(w: Shapes, i: int, ray: Ray) -> tuple[float, float, float, float, int]:
    kind = w.kind[i]
    if kind == BUILDING:
        return building_hit(ray, w.param[i])
    hit = (-1.0, 0.0, 0.0, 0.0)
    if kind == POLYHEDRON:
        hit = polyhedron_hit(ray, w.planes, w.plane_start[i], w.plane_start[i + 1])
    elif kind == ELLIPSOID:
        hit = ellipsoid_hit(ray, w.param[i])
    elif kind == CAPSULE:
        hit = capsule_hit(ray, w.param[i])
    elif kind == CYLINDER:
        hit = cylinder_hit(ray, w.param[i])
    return hit[0], hit[1], hit[2], hit[3], 0


@njit(cache=True)
def _near_sphere(mx: float, my: float, mz: float, r: float, ray: Ray, t_best: float) -> bool:
    """Whether this unit ray may meet the sphere before t_best."""
    ox, oy, oz, dx, dy, dz = ray
    cx, cy, cz = mx - ox, my - oy, mz - oz
    along = cx * dx + cy * dy + cz * dz
    if along < -r or along - r > t_best:
        return False
    return cx * cx + cy * cy + cz * cz - along * along <= r * r


@njit(cache=True)
def _part_hit(w: Shapes, part: int, T: Array, ray: Ray, t_best: float) -> tuple[float, int, float, float, float, int]:
    """Nearest hit of one part nearer than t_best: (t, shape, normal in the part's frame, detail); shape -1 if none."""
    ox, oy, oz, dx, dy, dz = ray
    rx, ry, rz = ox - T[3], oy - T[7], oz - T[11]
    px, py, pz = (
        T[0] * rx + T[4] * ry + T[8] * rz,
        T[1] * rx + T[5] * ry + T[9] * rz,
        T[2] * rx + T[6] * ry + T[10] * rz,
    )
    ex, ey, ez = (
        T[0] * dx + T[4] * dy + T[8] * dz,
        T[1] * dx + T[5] * dy + T[9] * dz,
        T[2] * dx + T[6] * dy + T[10] * dz,
    )
    own = Ray(px, py, pz, ex, ey, ez)
    shape, detail, nx, ny, nz = -1, 0, 0.0, 0.0, 0.0
    for i in range(w.part_start[part], w.part_start[part + 1]):
        s = w.sphere[i]
        if not _near_sphere(s[0], s[1], s[2], s[3], own, t_best):
            continue
        t, a, b, c, which = _shape_hit(w, i, own)
        if 0.0 < t < t_best:
            t_best, shape, detail, nx, ny, nz = t, i, which, a, b, c
    return t_best, shape, nx, ny, nz, detail


@njit(cache=True)
def _record(
    w: Shapes,
    row: int,
    T: Array,
    ray: Ray,
    found: tuple[float, int, float, float, float, int],
    part: int,
    t_max: float,
    out: Hits,
) -> None:
    """Write to a row of `out` the nearer of the ground and the nearest part (`found`, at pose T)."""
    t, shape, nx, ny, nz, detail = found
    ox, oy, oz, dx, dy, dz = ray
    t_ground = ground_hit(ray, w.ground, min(t, t_max))
    if t_ground > 0.0:
        x, y, z = ox + t_ground * dx, oy + t_ground * dy, oz + t_ground * dz
        gx, gy, gz = ground_normal(x, y, w.ground)
        out.range_m[row], out.part[row], out.shape[row], out.detail[row] = t_ground, GROUND_PART, -1, 0
        out.normal[row, 0], out.normal[row, 1], out.normal[row, 2] = gx, gy, gz
        out.local[row, 0], out.local[row, 1], out.local[row, 2] = x, y, z
    elif shape >= 0:
        rx, ry, rz = ox + t * dx - T[3], oy + t * dy - T[7], oz + t * dz - T[11]
        out.range_m[row], out.part[row], out.shape[row], out.detail[row] = t, part, shape, detail
        for k in range(3):
            out.normal[row, k] = T[4 * k] * nx + T[4 * k + 1] * ny + T[4 * k + 2] * nz
            out.local[row, k] = T[k] * rx + T[4 + k] * ry + T[8 + k] * rz
    else:
        out.range_m[row], out.part[row], out.shape[row], out.detail[row] = 0.0, NO_PART, -1, 0
        out.normal[row, :] = 0.0
        out.local[row, :] = 0.0


@njit(cache=True)
def _middles(w: Shapes, poses: Array, out: Array) -> None:
    """Write the centres in world (P,3) of the parts' spheres at poses (P,12)."""
    for p in range(len(poses)):
        T, s = poses[p], w.part_sphere[p]
        for k in range(3):
            out[p, k] = T[4 * k] * s[0] + T[4 * k + 1] * s[1] + T[4 * k + 2] * s[2] + T[4 * k + 3]


@njit(cache=True)
def _cone_candidates(
    w: Shapes, middles: Array, origin: Array, axis: Array, half_angle: float, index: NDArray[np.int64], near: Array
) -> int:
    """Write the parts whose sphere meets a cone, nearest first, to index and near (P,); returns their number."""
    n = 0
    for p in range(len(middles)):
        cx, cy, cz = middles[p, 0] - origin[0], middles[p, 1] - origin[1], middles[p, 2] - origin[2]
        r = w.part_sphere[p, 3]
        distance = math.sqrt(cx * cx + cy * cy + cz * cz)
        if distance > r:
            cosine = (cx * axis[0] + cy * axis[1] + cz * axis[2]) / distance
            if math.acos(min(max(cosine, -1.0), 1.0)) > half_angle + math.asin(r / distance):
                continue
        k = n
        gap = distance - r
        while k > 0 and near[k - 1] > gap:
            near[k], index[k] = near[k - 1], index[k - 1]
            k -= 1
        near[k], index[k] = gap, p
        n += 1
    return n


@njit(parallel=True, cache=True)
def cast_image(
    w: Shapes,
    poses: Array,
    T_world_cam: Array,
    K: Array,
    width_px: int,
    height_px: int,
    max_range_m: float,
    out: Hits,
) -> None:
    """First hit of the ray through every pixel's centre; `out` has H*W rows.

    Tiles of 16x16 pixels share a list of the parts that their cone may meet.

    Args:
        poses: (P,12) row-major T_world_part.
    """
    tile = 16
    across, down = (width_px + tile - 1) // tile, (height_px + tile - 1) // tile
    middles = np.empty((len(poses), 3))
    _middles(w, poses, middles)
    origin = T_world_cam[:3, 3].copy()
    for k in prange(across * down):
        row0, col0 = (k // across) * tile, (k % across) * tile
        row1, col1 = min(row0 + tile, height_px), min(col0 + tile, width_px)
        axis = _direction(0.5 * (col0 + col1 - 1), 0.5 * (row0 + row1 - 1), K, T_world_cam)
        half_angle = 0.0
        for corner in range(4):
            u, v = (col0, col1 - 1)[corner & 1], (row0, row1 - 1)[corner >> 1]
            d = _direction(float(u), float(v), K, T_world_cam)
            half_angle = max(half_angle, math.acos(min(1.0, d[0] * axis[0] + d[1] * axis[1] + d[2] * axis[2])))
        index, near = np.empty(len(poses), np.int64), np.empty(len(poses))
        n = _cone_candidates(w, middles, origin, axis, half_angle + 1e-4, index, near)
        for row in range(row0, row1):
            for col in range(col0, col1):
                d = _direction(float(col), float(row), K, T_world_cam)
                ray = Ray(origin[0], origin[1], origin[2], d[0], d[1], d[2])
                best = (max_range_m, -1, 0.0, 0.0, 0.0, 0)
                part = 0
                for c in range(n):
                    if near[c] > best[0]:
                        break
                    p = index[c]
                    m = middles[p]
                    if _near_sphere(m[0], m[1], m[2], w.part_sphere[p, 3], ray, best[0]):
                        found = _part_hit(w, p, poses[p], ray, best[0])
                        if found[1] >= 0:
                            best, part = found, p
                _record(w, row * width_px + col, poses[part], ray, best, part, max_range_m, out)


@njit(cache=True)
def _direction(u: float, v: float, K: Array, T: Array) -> Array:
    """Unit direction in world through pixel (u, v)."""
    y = (v - K[1, 2]) / K[1, 1]
    x = (u - K[0, 2] - K[0, 1] * y) / K[0, 0]
    n = 1.0 / math.sqrt(x * x + y * y + 1.0)
    out = np.empty(3)
    for k in range(3):
        out[k] = (T[k, 0] * x + T[k, 1] * y + T[k, 2]) * n
    return out


@njit(cache=True)
def _turned(T: Array, v: Array) -> tuple[float, float, float]:
    """Direction v (3,) rotated by the pose T (4,4)."""
    return (
        T[0, 0] * v[0] + T[0, 1] * v[1] + T[0, 2] * v[2],
        T[1, 0] * v[0] + T[1, 1] * v[1] + T[1, 2] * v[2],
        T[2, 0] * v[0] + T[2, 1] * v[1] + T[2, 2] * v[2],
    )


@njit(parallel=True, cache=True)
def cast_columns(
    w: Shapes,
    knots: Array,
    knot_of_column: Array,
    T_world_lidar: Array,
    directions: Array,
    max_range_m: float,
    out: Hits,
) -> None:
    """First hits of a lidar's columns, each at its own time; `out` has C*B rows, column by column.

    The rays of a column lie in one plane through the lidar's z axis: parts away from it are skipped.

    Args:
        knots: (M,P,12) poses of the parts at M times, linear between; knot_of_column: (C,) time of a column in knots.
        T_world_lidar: (C,4,4) at the column's time; directions: (C,B,3) unit vectors in lidar.
    """
    columns, beams = directions.shape[0], directions.shape[1]
    parts = knots.shape[1]
    for c in prange(columns):
        m = min(int(knot_of_column[c]), len(knots) - 2)
        f = knot_of_column[c] - m
        poses = np.empty((parts, 12))
        for p in range(parts):
            for k in range(12):
                poses[p, k] = (1.0 - f) * knots[m, p, k] + f * knots[m + 1, p, k]
        middles = np.empty((parts, 3))
        _middles(w, poses, middles)
        T = T_world_lidar[c]
        ox, oy, oz = T[0, 3], T[1, 3], T[2, 3]
        ahead = _turned(T, directions[c, beams // 2])
        up = T[:3, 2]
        sx = ahead[1] * up[2] - ahead[2] * up[1]
        sy = ahead[2] * up[0] - ahead[0] * up[2]
        sz = ahead[0] * up[1] - ahead[1] * up[0]
        index, n = np.empty(parts, np.int64), 0
        for p in range(parts):
            cx, cy, cz, r = middles[p, 0] - ox, middles[p, 1] - oy, middles[p, 2] - oz, w.part_sphere[p, 3]
            along = cx * ahead[0] + cy * ahead[1] + cz * ahead[2]
            if abs(cx * sx + cy * sy + cz * sz) <= r + 0.01 and -r <= along <= max_range_m + r:
                index[n] = p
                n += 1
        for b in range(beams):
            d = _turned(T, directions[c, b])
            ray = Ray(ox, oy, oz, d[0], d[1], d[2])
            best = (max_range_m, -1, 0.0, 0.0, 0.0, 0)
            part = 0
            for i in range(n):
                p = index[i]
                if _near_sphere(middles[p, 0], middles[p, 1], middles[p, 2], w.part_sphere[p, 3], ray, best[0]):
                    found = _part_hit(w, p, poses[p], ray, best[0])
                    if found[1] >= 0:
                        best, part = found, p
            _record(w, c * beams + b, poses[part], ray, best, part, max_range_m, out)
