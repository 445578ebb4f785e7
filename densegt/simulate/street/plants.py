"""Plants: trees with trunks, branches and many small leaves; hedges, bushes, grass. Beams pass between leaves."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from densegt.simulate.meshes.material import Material
from densegt.simulate.meshes.mesh import Colour, Mesh, join, rgb, two_triangles, with_semantic
from densegt.simulate.meshes.primitives import boxes, triangles, tube
from densegt.simulate.meshes.semantic import Semantic

Float64 = NDArray[np.float64]

GREENS: tuple[Colour, ...] = (
    (0.060, 0.105, 0.024),
    (0.045, 0.080, 0.022),
    (0.085, 0.120, 0.028),
    (0.035, 0.062, 0.026),
)


def leaves(rng: np.random.Generator, middles: Float64, size: float, colour: Colour) -> Mesh:
    """Small lozenges (two triangles each) at middles (N,3), turned at random."""
    n = len(middles)
    a, b = rng.normal(size=(n, 3)), rng.normal(size=(n, 3))
    a /= np.linalg.norm(a, axis=1, keepdims=True)
    b -= (b * a).sum(axis=1, keepdims=True) * a
    b /= np.linalg.norm(b, axis=1, keepdims=True)
    scale = size * rng.uniform(0.6, 1.3, (n, 1))
    a, b = a * scale, b * scale * 0.55
    corners = np.stack([middles - a, middles - b, middles + a, middles + b], axis=1)
    normal = np.repeat(np.cross(a, b) / (scale * scale * 0.55), 4, axis=0)
    faces = two_triangles(4 * np.arange(n), (0, 1, 2, 3))
    shade = np.repeat(rgb(colour) * rng.uniform(0.7, 1.3, (n, 1)).astype(np.float32), 2, axis=0)
    return triangles(corners.reshape(-1, 3), normal, corners[..., :2].reshape(-1, 2), faces, Material.LEAF, shade)


def tree(rng: np.random.Generator) -> Mesh:
    """A tree at the origin, 5 to 12 m high."""
    height = float(rng.uniform(5, 12))
    trunk_m = height * float(rng.uniform(0.22, 0.34))
    crown_m = float(rng.uniform(1.5, 0.36 * height))
    thick = 0.015 * height + 0.02
    green = GREENS[int(rng.integers(len(GREENS)))]
    bark: Colour = (0.10, 0.08, 0.06)
    lean = rng.normal(0, 0.15, 2)
    top = np.array([lean[0], lean[1], trunk_m])
    trunk = np.array([[0, 0, -0.5], [0, 0, 0.3], top * [0.5, 0.5, 0.6], top])
    parts = [
        tube(
            trunk,
            [1.3 * thick, thick, 0.85 * thick, 0.75 * thick],
            Material.BARK,
            bark,
        )
    ]
    lobes = []
    for _ in range(int(rng.integers(6, 11))):
        away = rng.normal(size=3) * [1, 1, 0.55]
        away /= max(float(np.linalg.norm(away)), 0.3)
        middle = np.array([lean[0], lean[1], trunk_m + 0.55 * (height - trunk_m)])
        lobe = middle + away * [crown_m * 0.62, crown_m * 0.62, 0.36 * (height - trunk_m)]
        lobes.append((lobe, float(rng.uniform(0.35, 0.6)) * crown_m))
        bend = (top + lobe) / 2 + rng.normal(0, 0.15, 3)
        parts.append(
            tube(np.stack([top * 0.9, bend, lobe]), [0.5 * thick, 0.25 * thick, 0.02], Material.BARK, bark, sides=5)
        )
    fill = float(rng.uniform(0.7, 1.3))
    for lobe, radius in lobes:
        count = int(300 * fill * radius**1.7)
        spot = rng.normal(size=(count, 3))
        spot *= (radius * rng.uniform(0.55, 1.05, (count, 1))) / np.linalg.norm(spot, axis=1, keepdims=True)
        parts.append(leaves(rng, lobe + spot * [1, 1, 0.8], 0.135, green))
    return with_semantic(join(parts), Semantic.VEGETATION)


def hedge(rng: np.random.Generator, length: float, height: float, width: float) -> Mesh:
    """A hedge along x from 0 to `length`: leaves about a dark core."""
    count = int(180 * length * (height + width / 2))
    spot = np.column_stack(
        [rng.uniform(0, length, count), rng.uniform(-0.5, 0.5, count) * width, rng.uniform(0, height, count)]
    )
    near = np.argmin(np.abs([spot[:, 1] - width / 2, spot[:, 1] + width / 2, spot[:, 2] - height]), axis=0)
    spot[near == 0, 1], spot[near == 1, 1], spot[near == 2, 2] = width / 2, -width / 2, height
    spot += rng.normal(0, 0.05, spot.shape)
    green = GREENS[int(rng.integers(len(GREENS)))]
    core = boxes(
        [[length / 2, 0, height * 0.45]], (length, width * 0.7, height * 0.85), Material.BARK, (0.02, 0.025, 0.012)
    )
    return with_semantic(join([core, leaves(rng, spot, 0.06, green)]), Semantic.VEGETATION)


def bush(rng: np.random.Generator) -> Mesh:
    """A round bush."""
    radius = float(rng.uniform(0.5, 1.3))
    count = int(700 * radius**1.5)
    spot = rng.normal(size=(count, 3))
    spot *= radius * rng.uniform(0.4, 1.0, (count, 1)) / np.linalg.norm(spot, axis=1, keepdims=True)
    spot[:, 2] = np.abs(spot[:, 2]) * 1.1
    return with_semantic(leaves(rng, spot, 0.09, GREENS[int(rng.integers(len(GREENS)))]), Semantic.VEGETATION)


def grass(rng: np.random.Generator, feet: Float64, height: float) -> Mesh:
    """Blades, one triangle each, on feet (N,3)."""
    n = len(feet)
    turn = rng.uniform(0, 2 * np.pi, n)
    side = np.column_stack([np.cos(turn), np.sin(turn), np.zeros(n)]) * 0.025
    tip = feet + np.column_stack([rng.normal(0, 0.04, (n, 2)), height * rng.uniform(0.4, 1.2, n)])
    vertices = np.stack([feet - side, feet + side, tip], axis=1)
    faces = np.arange(3 * n).reshape(-1, 3)
    normal = np.repeat(np.column_stack([np.sin(turn), -np.cos(turn), np.full(n, 0.8)]), 3, axis=0)
    shade = rgb((0.075, 0.115, 0.03)) * rng.uniform(0.6, 1.5, (n, 1)).astype(np.float32)
    mesh = triangles(vertices.reshape(-1, 3), normal, vertices[..., :2].reshape(-1, 2), faces, Material.LEAF, shade)
    return with_semantic(mesh, Semantic.TERRAIN)
