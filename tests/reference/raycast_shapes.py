"""Slow twins of densegt.kernels.raycast_shapes."""

from __future__ import annotations

import numpy as np

STEP_M = 0.002


def _depth_polyhedron(xyz, planes):
    """Greatest distance to a plane, negative inside; likewise below."""
    return (xyz @ planes[:, :3].T - planes[:, 3]).max(axis=-1)


def _depth_ellipsoid(xyz, p):
    return (((xyz - p[:3]) / p[3:6]) ** 2).sum(axis=-1) - 1


def _depth_capsule(xyz, p):
    axis = p[3:6] - p[:3]
    along = np.clip((xyz - p[:3]) @ axis / (axis @ axis), 0, 1)
    return np.linalg.norm(xyz - p[:3] - along[..., None] * axis, axis=-1) - p[6]


def _depth_cylinder(xyz, p):
    length = np.linalg.norm(p[3:6] - p[:3])
    axis = (p[3:6] - p[:3]) / length
    along = (xyz - p[:3]) @ axis
    away = np.linalg.norm(xyz - p[:3] - along[..., None] * axis, axis=-1)
    return np.max([away - p[6], -along, along - length], axis=0)


def _depth_building(xyz, p):
    """A block less the holes of its windows: half sizes, height, pitch, storey, window width, height, recess, sill."""
    depth = np.max([np.abs(xyz[..., 0]) - p[0], np.abs(xyz[..., 1]) - p[1], xyz[..., 2] - p[2]], axis=0)
    for axis in (0, 1):
        columns = np.floor(2 * (p[1 - axis] - 0.5) / p[3])
        along = xyz[..., 1 - axis] + columns * p[3] / 2
        i, j = np.floor(along / p[3]), np.floor(xyz[..., 2] / p[4])
        beside = np.abs(along - (i + 0.5) * p[3]) - p[5] / 2
        above = np.abs(xyz[..., 2] - j * p[4] - p[8] - p[6] / 2) - p[6] / 2
        hole = np.max([beside, above, p[axis] - p[7] - np.abs(xyz[..., axis])], axis=0)
        real = (i >= 0) & (i < columns) & (j >= 0) & ((j + 1) * p[4] < p[2])
        depth = np.where(real, np.maximum(depth, -hole), depth)
    return depth


def _hit(ray, depth_of):
    """The first sample inside, refined by bisection; the gradient there."""
    start, way = np.array(ray[:3]), np.array(ray[3:])
    t = np.arange(0, 40, STEP_M)
    inside = np.flatnonzero(depth_of(start + t[:, None] * way) <= 0)
    if not len(inside) or inside[0] == 0:
        return -1.0, 0.0, 0.0, 0.0
    low, high = t[inside[0] - 1], t[inside[0]]
    while high - low > 1e-9:
        middle = (low + high) / 2
        low, high = (low, middle) if depth_of(start + middle * way) <= 0 else (middle, high)
    steps = 1e-6 * np.eye(3)
    at = start + high * way
    gradient = depth_of(at + steps) - depth_of(at - steps)
    return high, *(gradient / np.linalg.norm(gradient))


def polyhedron_hit(ray, planes, start, stop):
    return _hit(ray, lambda xyz: _depth_polyhedron(xyz, planes[start:stop]))


def ellipsoid_hit(ray, p):
    return _hit(ray, lambda xyz: _depth_ellipsoid(xyz, p))


def capsule_hit(ray, p):
    return _hit(ray, lambda xyz: _depth_capsule(xyz, p))


def cylinder_hit(ray, p):
    return _hit(ray, lambda xyz: _depth_cylinder(xyz, p))


def building_hit(ray, p):
    """Wall 0, window 1, reveal 2, roof 3: by how deep the hit lies, and which way it faces."""
    t, *normal = _hit(ray, lambda xyz: _depth_building(xyz, p))
    x, y, z = np.array(ray[:3]) + t * np.array(ray[3:])
    deep = max(abs(x) - p[0], abs(y) - p[1])
    if t < 0 or abs(z - p[2]) < 1e-6:
        return t, *normal, 0 if t < 0 else 3
    if abs(deep) < 1e-6:
        return t, *normal, 0
    axis = int(np.argmax(np.abs(normal)))
    recessed = axis < 2 and abs(abs((x, y)[axis]) - p[axis] + p[7]) < 1e-6
    return t, *normal, 1 if recessed else 2
