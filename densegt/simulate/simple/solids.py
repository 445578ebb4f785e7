"""Solids: the simple shapes that everything in the world is made of, in the frame of the part they belong to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from densegt.kernels.raycast_shapes import BUILDING, CAPSULE, CYLINDER, ELLIPSOID, POLYHEDRON
from densegt.simulate.simple.materials import Material

Float64 = NDArray[np.float64]
Colour = tuple[float, float, float]


@dataclass(frozen=True)
class Solid:
    """One shape.

    Attributes:
        kind: code of raycast_shapes.
        param: (9,) by kind; planes: (Q,4) outward normals and offsets, for polyhedra.
        low, high: (3,) tight bounds in the part's frame, m.
        colour: red, green, blue in 0..1.
        reflectance: factor on the material's reflectivity for the lidar.
    """

    kind: int
    param: Float64
    planes: Float64
    low: Float64
    high: Float64
    material: Material
    colour: Colour
    reflectance: float = 1.0

    def moved(self, offset_m: ArrayLike) -> Solid:
        """The same solid shifted by offset (3,)."""
        offset = np.asarray(offset_m, dtype=np.float64)
        param, planes = self.param.copy(), self.planes.copy()
        if self.kind in (ELLIPSOID, CAPSULE, CYLINDER):
            param[:3] += offset
        if self.kind in (CAPSULE, CYLINDER):
            param[3:6] += offset
        if self.kind == POLYHEDRON:
            planes[:, 3] += planes[:, :3] @ offset
        if self.kind == BUILDING and offset.any():
            raise ValueError("a building stands at its part's origin")
        return Solid(
            self.kind,
            param,
            planes,
            self.low + offset,
            self.high + offset,
            self.material,
            self.colour,
            self.reflectance,
        )


_NO_PLANES = np.zeros((0, 4))


def _param(*values: float | Float64) -> Float64:
    out = np.zeros(9)
    flat = np.concatenate([np.zeros(0), *[np.atleast_1d(np.asarray(v, dtype=np.float64)) for v in values]])
    out[: len(flat)] = flat
    return out


def polyhedron(points: ArrayLike, material: Material, colour: Colour, reflectance: float = 1.0) -> Solid:
    """The convex hull of points (N,3)."""
    from scipy.spatial import ConvexHull

    xyz = np.asarray(points, dtype=np.float64)
    equations = ConvexHull(xyz).equations  # n.x + offset <= 0, one row a triangle
    _, first = np.unique(np.round(equations, 6), axis=0, return_index=True)
    planes = np.column_stack([equations[np.sort(first), :3], -equations[np.sort(first), 3]])
    return Solid(POLYHEDRON, _param(), planes, xyz.min(axis=0), xyz.max(axis=0), material, colour, reflectance)


def box(
    middle: Sequence[float], size: Sequence[float], material: Material, colour: Colour, reflectance: float = 1.0
) -> Solid:
    """A cuboid along the axes."""
    c, h = np.asarray(middle, dtype=np.float64), np.asarray(size, dtype=np.float64) / 2
    normals = np.concatenate([np.eye(3), -np.eye(3)])
    planes = np.column_stack([normals, np.concatenate([c + h, h - c])])
    return Solid(POLYHEDRON, _param(), planes, c - h, c + h, material, colour, reflectance)


def ellipsoid(middle: ArrayLike, half: ArrayLike, material: Material, colour: Colour) -> Solid:
    """An ellipsoid with half axes along x, y, z."""
    c, h = np.asarray(middle, dtype=np.float64), np.asarray(half, dtype=np.float64)
    return Solid(ELLIPSOID, _param(c, h), _NO_PLANES, c - h, c + h, material, colour)


def capsule(a: ArrayLike, b: ArrayLike, radius_m: float, material: Material, colour: Colour) -> Solid:
    """A round-ended rod from a to b."""
    p, q = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    low, high = np.minimum(p, q) - radius_m, np.maximum(p, q) + radius_m
    return Solid(CAPSULE, _param(p, q, radius_m), _NO_PLANES, low, high, material, colour)


def cylinder(a: ArrayLike, b: ArrayLike, radius_m: float, material: Material, colour: Colour) -> Solid:
    """A flat-ended rod from a to b."""
    p, q = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    axis = (q - p) / np.linalg.norm(q - p)
    reach = radius_m * np.sqrt(np.maximum(1 - axis**2, 0))
    low, high = np.minimum(p, q) - reach, np.maximum(p, q) + reach
    return Solid(CYLINDER, _param(p, q, radius_m), _NO_PLANES, low, high, material, colour)


def building(
    size: Sequence[float], *, pitch_m: float, storey_m: float, window: Sequence[float], colour: Colour
) -> Solid:
    """A block that stands on z = 0 with recessed windows; window is (width, height, recess, sill) in m."""
    length, depth, height = size
    half = np.array([length / 2, depth / 2])
    param = _param(half, height, pitch_m, storey_m, np.asarray(window, dtype=np.float64))
    low, high = np.array([*-half, 0.0]), np.array([*half, height])
    return Solid(BUILDING, param, _NO_PLANES, low, high, Material.WALL, colour)


def bounds(solids: Iterable[Solid]) -> tuple[Float64, Float64]:
    """Lowest and highest corner (3,), (3,) of all solids."""
    items = list(solids)
    return np.min([s.low for s in items], axis=0), np.max([s.high for s in items], axis=0)
