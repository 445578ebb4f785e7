"""Mesh: triangles with what they are made of; joined and moved, never changed in place."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

Float64 = NDArray[np.float64]
Colour = tuple[float, float, float]


def rgb(colour: ArrayLike) -> NDArray[np.float32]:
    """A colour (3,) or colours (N,3) as float32."""
    return np.asarray(colour, dtype=np.float32)


@dataclass(frozen=True)
class Mesh:
    """Triangles.

    Attributes:
        vertices: (V,3) m; normals: (V,3) for shading.
        uv: (V,2) m along the surface, for textures.
        triangles: (T,3) indices of vertices.
        material: (T,) codes of Material; colour: (T,3) in 0..1; semantic: (T,) codes of Semantic.
    """

    vertices: Float64
    normals: Float64
    uv: Float64
    triangles: NDArray[np.int64]
    material: NDArray[np.uint8]
    colour: NDArray[np.float32]
    semantic: NDArray[np.uint8]


def two_triangles(first: NDArray[np.int64], corners: tuple[int, int, int, int]) -> NDArray[np.int64]:
    """Indices (2N,3) of quads whose corners lie at these steps from their first vertex (N,)."""
    a, b, c, d = corners
    out: NDArray[np.int64] = (first.reshape(-1, 1) + np.array([a, b, c, a, c, d])).reshape(-1, 3)
    return out


def grid_cells(rows: int, columns: int) -> NDArray[np.int64]:
    """Index (N,) of the first vertex of each cell of a grid of vertices."""
    return (np.arange(rows - 1)[:, None] * columns + np.arange(columns - 1)).reshape(-1)


def empty_mesh() -> Mesh:
    """No triangle."""
    none = np.zeros((0, 3))
    codes = np.zeros(0, dtype=np.uint8)
    return Mesh(none, none, none[:, :2], np.zeros((0, 3), np.int64), codes, none.astype(np.float32), codes)


def join(meshes: Iterable[Mesh]) -> Mesh:
    """All triangles together, in order."""
    parts = [m for m in meshes if len(m.triangles)]
    if not parts:
        return empty_mesh()
    start = np.cumsum([0, *[len(m.vertices) for m in parts[:-1]]])
    return Mesh(
        np.concatenate([m.vertices for m in parts]),
        np.concatenate([m.normals for m in parts]),
        np.concatenate([m.uv for m in parts]),
        np.concatenate([m.triangles + a for m, a in zip(parts, start, strict=True)]),
        np.concatenate([m.material for m in parts]),
        np.concatenate([m.colour for m in parts]),
        np.concatenate([m.semantic for m in parts]),
    )


def moved(mesh: Mesh, T: Float64) -> Mesh:
    """The mesh under a rigid transform (4,4), which may mirror."""
    R = T[:3, :3]
    triangles = mesh.triangles if np.linalg.det(R) > 0 else mesh.triangles[:, ::-1]
    return replace(mesh, vertices=mesh.vertices @ R.T + T[:3, 3], normals=mesh.normals @ R.T, triangles=triangles)


def shifted(mesh: Mesh, xyz: ArrayLike) -> Mesh:
    """The mesh moved by (3,) m."""
    return replace(mesh, vertices=mesh.vertices + np.asarray(xyz, dtype=np.float64))


def mirrored_y(mesh: Mesh) -> Mesh:
    """The mesh on the other side of the plane y = 0."""
    return moved(mesh, np.diag([1.0, -1.0, 1.0, 1.0]))


def with_semantic(mesh: Mesh, code: int) -> Mesh:
    """The mesh with one semantic class."""
    return replace(mesh, semantic=np.full(len(mesh.triangles), code, dtype=np.uint8))


def bounds(mesh: Mesh) -> tuple[Float64, Float64]:
    """Lowest and highest corner (3,)."""
    return mesh.vertices.min(axis=0), mesh.vertices.max(axis=0)
