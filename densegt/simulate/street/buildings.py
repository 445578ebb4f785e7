"""Buildings: four facades, a roof, balconies, awnings."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from densegt.geometry.se3 import from_yaw
from densegt.simulate.meshes.material import Material
from densegt.simulate.meshes.mesh import Mesh, join, moved, with_semantic
from densegt.simulate.meshes.primitives import bars, box, boxes, quads
from densegt.simulate.meshes.semantic import Semantic
from densegt.simulate.street.facade import FacadeStyle, draw_style, facade, window_holes

Float64 = NDArray[np.float64]

BELOW_M = 3.0
"""Walls go this far below the ground, so that no slope shows a gap."""


def building(rng: np.random.Generator, length: float, depth: float, storeys: int) -> Mesh:
    """A building whose front lies in y = 0 and looks to -y, x from 0 to `length`."""
    style = draw_style(rng)
    height = storeys * style.storey + 0.4
    walls = [
        facade(length, height, style, below=BELOW_M),
        moved(facade(depth, height, style, below=BELOW_M), from_yaw(np.pi / 2, [length, 0, 0])),
        moved(facade(length, height, style, below=BELOW_M), from_yaw(np.pi, [length, depth, 0])),
        moved(facade(depth, height, style, below=BELOW_M), from_yaw(-np.pi / 2, [0, depth, 0])),
    ]
    parts = [*walls, _roof(rng, length, depth, height, storeys)]
    if rng.random() < 0.45 and storeys > 1 and style.wall is not Material.METAL:
        parts.append(_balconies(rng, length, height, style))
    if style.shop and rng.random() < 0.7:
        parts.append(_awning(rng, length, style))
    if rng.random() < 0.5:
        parts.append(_drainpipes(length, height))
    if rng.random() < 0.08:
        parts.append(scaffolding(length, height))
    return with_semantic(join(parts), Semantic.BUILDING)


def _roof(rng: np.random.Generator, length: float, depth: float, height: float, storeys: int) -> Mesh:
    tile = [(0.28, 0.12, 0.08), (0.14, 0.13, 0.13), (0.22, 0.17, 0.14)][int(rng.integers(3))]
    if storeys <= 3 and rng.random() < 0.7:
        return _gable(length, depth, height, float(rng.uniform(0.5, 1.0)) * depth / 2, tile)
    rim = [
        [length / 2, 0.15, height + 0.3], [length / 2, depth - 0.15, height + 0.3],
    ]  # fmt: skip
    ends = [[0.15, depth / 2, height + 0.3], [length - 0.15, depth / 2, height + 0.3]]
    grey = (0.35, 0.34, 0.33)
    return join(
        [
            boxes(rim, (length, 0.3, 0.7), Material.CONCRETE, grey),
            boxes(ends, (0.3, depth, 0.7), Material.CONCRETE, grey),
            box((length / 2, depth / 2, height), (length, depth, 0.1), Material.ROOF, grey),
            box((length * 0.4, depth / 2, height + 0.9), (2.4, 2.0, 1.8), Material.METAL, (0.4, 0.4, 0.4)),
        ]
    )


def _gable(length: float, depth: float, height: float, rise: float, colour: tuple[float, float, float]) -> Mesh:
    e = 0.35
    ridge = [[-e, depth / 2, height + rise], [length + e, depth / 2, height + rise]]
    front = [[-e, -e, height - 0.1], [length + e, -e, height - 0.1]]
    back = [[-e, depth + e, height - 0.1], [length + e, depth + e, height - 0.1]]
    slopes = [[front[0], front[1], ridge[1], ridge[0]], [back[1], back[0], ridge[0], ridge[1]]]
    under = [[q[3], q[2], q[1], q[0]] for q in slopes]
    gables = [
        [[x, 0, height], [x, depth, height], [x, depth / 2, height + rise], [x, depth / 2, height + rise]]
        for x in (0.0, length)
    ]
    return join(
        [
            quads(slopes, Material.ROOF, colour),
            quads(under, Material.WOOD, (0.3, 0.25, 0.2)),
            quads(gables, Material.PLASTER, (0.5, 0.47, 0.4)),
            box((length * 0.7, depth / 2, height + rise + 0.2), (0.6, 0.6, 1.6), Material.BRICK, (0.3, 0.15, 0.11)),
        ]
    )


def _balconies(rng: np.random.Generator, length: float, height: float, style: FacadeStyle) -> Mesh:
    """Slabs with railings of bars at some windows above the ground floor."""
    holes = window_holes(length, height, style)
    holes = holes[holes[:, 2] > style.storey]
    parts = []
    for x0, x1, z0, _ in holes[rng.random(len(holes)) < 0.4]:
        floor, out, left, right = z0 - style.sill, float(rng.uniform(0.7, 1.2)), x0 - 0.4, x1 + 0.4
        parts.append(
            box(((left + right) / 2, -out / 2, floor), (right - left, out, 0.14), Material.CONCRETE, (0.42, 0.41, 0.4))
        )
        x = np.arange(left, right, 0.11)
        feet = np.column_stack([x, np.full_like(x, -out), np.full_like(x, floor)])
        y = np.arange(-out, 0.0, 0.11)
        for end in (left, right):
            feet = np.concatenate([feet, np.column_stack([np.full_like(y, end), y, np.full_like(y, floor)])])
        parts.append(bars(feet, np.add(feet, (0, 0, 1.0)), 0.018, Material.METAL, (0.12, 0.12, 0.13)))
        rail = [[left, -out, floor + 1.0], [right, -out, floor + 1.0], [right, 0, floor + 1.0]]
        start = [[left, 0, floor + 1.0], [left, -out, floor + 1.0], [right, -out, floor + 1.0]]
        parts.append(bars(start, rail, 0.05, Material.METAL, (0.12, 0.12, 0.13)))
    return join(parts)


def _awning(rng: np.random.Generator, length: float, style: FacadeStyle) -> Mesh:
    z, out = style.shop + 0.15, float(rng.uniform(0.8, 1.5))
    colour = np.array([[0.5, 0.08, 0.07], [0.08, 0.25, 0.13], [0.55, 0.45, 0.25], [0.1, 0.16, 0.35]])[
        int(rng.integers(4))
    ]
    x = np.arange(0.5, length - 2.0, 2.2)
    top = [[[a, -out, z - 0.5], [a + 2.0, -out, z - 0.5], [a + 2.0, -0.02, z], [a, -0.02, z]] for a in x]
    return (
        join([quads(top, Material.CLOTH, colour), quads(np.array(top)[:, ::-1], Material.CLOTH, colour)])
        if top
        else join([])
    )


def _drainpipes(length: float, height: float) -> Mesh:
    foot = np.array([[0.25, -0.06, -1.0], [length - 0.25, -0.06, -1.0]])
    return bars(foot, np.add(foot, (0, 0, height + 1.0)), 0.10, Material.METAL, (0.3, 0.3, 0.31))


def scaffolding(length: float, height: float) -> Mesh:
    """Tubes and planks before a front."""
    x, z = np.arange(0.2, length, 2.2), np.arange(2.0, height + 1.0, 2.0)
    steel = (0.45, 0.45, 0.46)
    parts = []
    for y in (-1.3, -0.4):
        feet = np.column_stack([x, np.full_like(x, y), np.full_like(x, -1.0)])
        parts.append(bars(feet, np.add(feet, (0, 0, height + 2.0)), 0.05, Material.METAL, steel))
        rails = np.array([[0.0, y, k + h] for k in z for h in (0.0, 1.0)])
        parts.append(bars(rails, np.add(rails, (length, 0, 0)), 0.05, Material.METAL, steel))
    planks = [[length / 2, -0.85, k] for k in z]
    parts.append(boxes(planks, (length, 0.9, 0.05), Material.WOOD, (0.42, 0.33, 0.2)))
    return join(parts)
