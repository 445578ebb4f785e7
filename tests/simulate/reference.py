"""Slow, obvious twins of the ray caster's kernels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def first_entry(inside: Array, t: Array) -> float:
    """The first t at which a sampled ray goes from outside to inside; -1 if it never does or begins inside."""
    if inside[0]:
        return -1.0
    hits = np.flatnonzero(inside)
    return float(t[hits[0]]) if len(hits) else -1.0


def inside_polyhedron(xyz: Array, planes: Array) -> Array:
    return (xyz @ planes[:, :3].T <= planes[:, 3]).all(axis=1)


def inside_ellipsoid(xyz: Array, p: Array) -> Array:
    return (((xyz - p[:3]) / p[3:6]) ** 2).sum(axis=1) <= 1


def inside_capsule(xyz: Array, p: Array) -> Array:
    axis = p[3:6] - p[:3]
    along = np.clip((xyz - p[:3]) @ axis / (axis @ axis), 0, 1)
    return np.linalg.norm(xyz - p[:3] - along[:, None] * axis, axis=1) <= p[6]


def inside_cylinder(xyz: Array, p: Array) -> Array:
    axis = p[3:6] - p[:3]
    along = (xyz - p[:3]) @ axis / (axis @ axis)
    away = np.linalg.norm(xyz - p[:3] - along[:, None] * axis, axis=1)
    return (away <= p[6]) & (along >= 0) & (along <= 1)


def inside_building(xyz: Array, p: Array) -> Array:
    """A block with holes: half sizes, height, pitch, storey, window width, height, recess, sill."""
    solid = (np.abs(xyz[:, 0]) <= p[0]) & (np.abs(xyz[:, 1]) <= p[1]) & (xyz[:, 2] <= p[2])
    for axis in (0, 1):
        half = p[1 - axis]
        columns = np.floor(2 * (half - 0.5) / p[3])
        along = xyz[:, 1 - axis] + columns * p[3] / 2
        i, j = np.floor(along / p[3]), np.floor(xyz[:, 2] / p[4])
        beside = np.abs(along - (i + 0.5) * p[3]) < p[5] / 2
        above = xyz[:, 2] - j * p[4] - p[8]
        real = (i >= 0) & (i < columns) & (j >= 0) & ((j + 1) * p[4] < p[2])
        deep = np.abs(xyz[:, axis]) > p[axis] - p[7]
        solid &= ~(real & beside & (above > 0) & (above < p[6]) & deep)
    return solid


def ground_height(xy: Array, g: Array) -> Array:
    """Height (N,) of the ground with its kerbs."""
    x, y = xy[:, 0], xy[:, 1]
    z = g[0] * x + g[1] * y
    for a, kx, ky, phase in g[10:26].reshape(4, 4):
        z = z + a * np.sin(kx * x + ky * y + phase)
    away = np.abs(y - g[2] * (np.sin(g[3] * x + g[4]) - np.sin(g[4])))
    z = z + g[9] * (1 - np.minimum(away / g[5], 1) ** 2)
    return z + g[6] * np.clip(np.minimum(away - g[5], np.abs(x - g[7]) - g[8]) / 0.03, 0, 1)
