"""The ground as a mesh: road, kerbs, pavements and land, with lines where their heights break."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from densegt.simulate.meshes.material import Material
from densegt.simulate.meshes.mesh import Mesh, grid_cells, join, two_triangles
from densegt.simulate.meshes.semantic import Semantic
from densegt.simulate.street.terrain import KERB_RAMP_M, Terrain

Float64 = NDArray[np.float64]

REACH_M = 56.0
"""The fine ground reaches this far to the sides; beyond is coarse land."""


def ground_mesh(terrain: Terrain) -> Mesh:
    """Everything under the feet; uv is (s, d)."""
    return join([_near(terrain), _far(terrain)])


def _near(terrain: Terrain) -> Mesh:
    s, d = _lines(terrain)
    place = np.stack(np.meshgrid(s, d, indexing="ij"), axis=-1)
    flat = place.reshape(-1, 2)
    xy = terrain.places(flat[:, 0], flat[:, 1])
    z = terrain.heights_of(flat, xy, KERB_RAMP_M)
    points = np.column_stack([xy, z]).reshape(*place.shape[:2], 3)
    columns = len(d)
    faces = two_triangles(grid_cells(len(s), columns), (0, columns, columns + 1, 1))
    middle = flat[faces].mean(axis=1)
    material, semantic, colour = _surface(terrain, middle)
    return Mesh(points.reshape(-1, 3), _normals(points), flat, faces, material, colour, semantic)


def _lines(terrain: Terrain) -> tuple[Float64, Float64]:
    """Where the grid's lines lie along and across the road."""
    section = terrain.section
    s = np.arange(terrain.s[0], terrain.s[-1], 1.0)
    edges = [terrain.cross_s + a * (terrain.cross_half + b) for a in (-1, 1) for b in (0.0, KERB_RAMP_M, section.walk)]
    if np.isfinite(terrain.bump_s):
        edges += list(terrain.bump_s + np.linspace(-1.9, 1.9, 13))
    for middle, half in terrain.driveways:
        edges += [middle - half - 0.8, middle - half, middle + half, middle + half + 0.8]
    s = np.unique(np.concatenate([s, [e for e in edges if s[0] < e < s[-1]]]))
    half, walk = section.half_width, section.walk
    inner = np.arange(0, half - 0.2, 1.0)
    outer = np.concatenate([np.arange(half + 1, half + walk, 0.8), np.arange(half + walk + 1, REACH_M, 2.0)])
    right = np.unique(np.concatenate([inner, [half, half + KERB_RAMP_M, half + walk], outer]))
    return s, np.unique(np.concatenate([-right, right]))


def _normals(points: Float64) -> Float64:
    du, dv = np.gradient(points, axis=0), np.gradient(points, axis=1)
    normal = np.cross(du, dv).reshape(-1, 3)
    out: Float64 = normal / np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-12)
    return out


def _surface(terrain: Terrain, place: Float64) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.float32]]:
    """Material, class and colour of places (N,2)."""
    section = terrain.section
    d = np.abs(place[:, 1])
    into = np.minimum(d - section.half_width, np.abs(place[:, 0] - terrain.cross_s) - terrain.cross_half)
    zones = [into < 0, into < KERB_RAMP_M + 0.12, into < section.walk]
    materials = [Material.ASPHALT, Material.KERB, Material.PAVEMENT]
    material = np.select(zones, materials, Material.GRASS).astype(np.uint8)
    semantic = np.select(zones, [Semantic.ROAD, Semantic.PAVEMENT, Semantic.PAVEMENT], Semantic.TERRAIN)
    colours = np.zeros((len(place), 3), dtype=np.float32)
    for code, colour in (
        (Material.ASPHALT, (0.105, 0.105, 0.11)),
        (Material.KERB, (0.36, 0.35, 0.33)),
        (Material.PAVEMENT, (0.27, 0.26, 0.245)),
        (Material.GRASS, (0.09, 0.13, 0.04)),
    ):
        colours[material == code] = colour
    return material, semantic.astype(np.uint8), colours


def _far(terrain: Terrain) -> Mesh:
    """Coarse land to the horizon, a little lower where the fine ground lies."""
    low, high = terrain.xy.min(axis=0) - 220, terrain.xy.max(axis=0) + 220
    x, y = np.arange(low[0], high[0], 9.0), np.arange(low[1], high[1], 9.0)
    xy = np.stack(np.meshgrid(x, y, indexing="ij"), axis=-1)
    flat = xy.reshape(-1, 2)
    place = terrain.along(flat)
    covered = (np.abs(place[:, 1]) < REACH_M - 3) & (place[:, 0] > terrain.s[0] + 3) & (place[:, 0] < terrain.s[-1] - 3)
    z = terrain.heights_of(place, flat, KERB_RAMP_M) - np.where(covered, 2.5, 0.02)
    points = np.column_stack([flat, z]).reshape(*xy.shape[:2], 3)
    columns = len(y)
    faces = two_triangles(grid_cells(len(x), columns), (0, columns, columns + 1, 1))
    count = len(faces)
    return Mesh(
        points.reshape(-1, 3), _normals(points), flat, faces,
        np.full(count, Material.GRASS, dtype=np.uint8),
        np.tile(np.array([0.10, 0.13, 0.05], dtype=np.float32), (count, 1)),
        np.full(count, Semantic.TERRAIN, dtype=np.uint8),
    )  # fmt: skip
