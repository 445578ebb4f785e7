"""Facades: walls with recessed windows, panes of glass and rooms behind them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from densegt.simulate.meshes.material import Material
from densegt.simulate.meshes.mesh import Colour, Mesh, empty_mesh, join
from densegt.simulate.meshes.primitives import boxes, quads

Float64 = NDArray[np.float64]

ROOM_M = 3.5
"""Depth of the rooms behind the windows."""


@dataclass(frozen=True)
class FacadeStyle:
    """How a building's walls look; sizes in m.

    Attributes:
        bay, storey: distances of the windows; window: (width, height); sill: height above the floor; recess: depth.
        shop: height of a shop front on the ground floor, 0 = none.
    """

    wall: Material
    colour: Colour
    frame: Colour
    bay: float
    storey: float
    window: tuple[float, float]
    sill: float
    recess: float
    shop: float


def draw_style(rng: np.random.Generator) -> FacadeStyle:
    """A style."""
    kind = int(rng.integers(4))
    tone = rng.uniform(0.75, 1.1)
    walls: list[tuple[Material, Colour]] = [
        (Material.PLASTER, _PLASTERS[int(rng.integers(len(_PLASTERS)))]),
        (Material.BRICK, _BRICKS[int(rng.integers(len(_BRICKS)))]),
        (Material.CONCRETE, (0.38, 0.37, 0.35)),
        (Material.METAL, (0.16, 0.18, 0.20)),
    ]
    wall, (r, g, b) = walls[kind]
    office = kind == 3
    bay = float(rng.uniform(1.5, 2.0) if office else rng.uniform(2.3, 3.6))
    storey = float(rng.uniform(3.0, 3.8))
    width = bay * float(rng.uniform(0.82, 0.92) if office else rng.uniform(0.36, 0.62))
    height = storey * float(rng.uniform(0.62, 0.78) if office else rng.uniform(0.42, 0.58))
    white = float(rng.uniform(0.25, 0.75))
    return FacadeStyle(
        wall=wall, colour=(r * tone, g * tone, b * tone), frame=(white, white, white * 0.97), bay=bay, storey=storey,
        window=(width, height), sill=float(rng.uniform(0.7, 1.0)) * (0.6 if office else 1.0),
        recess=float(rng.uniform(0.06, 0.30)), shop=float(rng.uniform(2.4, 3.0)) if rng.random() < 0.4 else 0.0,
    )  # fmt: skip


_PLASTERS: tuple[Colour, ...] = (
    (0.62, 0.58, 0.48), (0.66, 0.63, 0.58), (0.58, 0.47, 0.33), (0.50, 0.52, 0.50), (0.60, 0.42, 0.34),
    (0.42, 0.47, 0.52),
)  # fmt: skip
_BRICKS: tuple[Colour, ...] = ((0.30, 0.14, 0.10), (0.36, 0.22, 0.15), (0.42, 0.34, 0.24), (0.22, 0.15, 0.13))


def facade(length: float, height: float, style: FacadeStyle, *, below: float) -> Mesh:
    """A wall in the plane y = 0 that looks to -y, from x = 0 to `length` and z = -below to `height`."""
    holes = window_holes(length, height, style)
    parts = [_wall_around(length, height, holes, style, below)]
    if len(holes):
        parts += [_reveals(holes, style), _panes(holes, style), _rooms(length, height, style)]
    return join(parts)


def window_holes(length: float, height: float, style: FacadeStyle) -> Float64:
    """Windows (N,4): x0, x1, z0, z1."""
    count, floors = int((length - 0.6) / style.bay), int((height - 0.3) / style.storey)
    if count < 1 or floors < 1:
        return np.zeros((0, 4))
    x = length / 2 + (np.arange(count) - (count - 1) / 2) * style.bay
    rows = []
    for floor in range(floors):
        w, h = style.window
        z = floor * style.storey + style.sill
        if floor == 0 and style.shop:
            w, h, z = style.bay * 0.9, style.shop - 0.35, 0.35
        rows.append(np.column_stack([x - w / 2, x + w / 2, np.full(count, z), np.full(count, z + h)]))
    return np.concatenate(rows)


def _wall_around(length: float, height: float, holes: Float64, style: FacadeStyle, below: float) -> Mesh:
    """The wall as strips between the holes: every row of windows is cut into cells."""
    cells = []
    z_edges = np.unique(np.concatenate([[-below, height], holes[:, 2], holes[:, 3]]))
    for z0, z1 in pairwise(z_edges):
        row = holes[(holes[:, 2] < z1 - 1e-9) & (holes[:, 3] > z0 + 1e-9)]
        x = np.concatenate([[0.0], np.sort(row[:, :2].reshape(-1)), [length]])
        cells += [(a, b, z0, z1) for a, b in zip(x[::2], x[1::2], strict=True) if b - a > 1e-6]
    return _upright(np.array(cells), 0.0, style.wall, style.colour)


def _upright(cells: Float64, y: float, material: Material, colour: Colour) -> Mesh:
    """Quads in a plane of constant y that look to -y."""
    x0, x1, z0, z1 = cells.T
    depth = np.full(len(cells), y)
    corners = [(x0, z0), (x1, z0), (x1, z1), (x0, z1)]
    quad = np.stack([np.stack([a, depth, b], axis=-1) for a, b in corners], axis=1)
    uv = np.stack([np.stack([a, b], axis=-1) for a, b in corners], axis=1)
    return quads(quad, material, colour, uv=uv)


def _reveals(holes: Float64, style: FacadeStyle) -> Mesh:
    """The four sides of each recess."""
    x0, x1, z0, z1 = holes.T
    zero, deep = np.zeros(len(holes)), np.full(len(holes), style.recess)
    corners = [(x0, z0), (x1, z0), (x1, z1), (x0, z1)]
    sides = []
    for (ax, az), (bx, bz) in zip(corners, corners[1:] + corners[:1], strict=True):
        points = [(ax, deep, az), (bx, deep, bz), (bx, zero, bz), (ax, zero, az)]
        sides.append(np.stack([np.stack(p, axis=-1) for p in points], axis=1)[:, ::-1])
    return quads(np.concatenate(sides), style.wall, tuple(0.85 * c for c in style.colour))


def _panes(holes: Float64, style: FacadeStyle) -> Mesh:
    """Glass in a frame with a bar across."""
    glass = _upright(holes, style.recess, Material.GLASS, (0.05, 0.06, 0.065))
    x0, x1, z0, z1 = holes.T
    middle, y, w = (x0 + x1) / 2, np.full(len(holes), style.recess - 0.01), 0.05
    zero = np.zeros(len(holes))
    frames = []
    for cx, cz, sx, sz in (
        (x0 + w / 2, (z0 + z1) / 2, zero + w, z1 - z0),
        (x1 - w / 2, (z0 + z1) / 2, zero + w, z1 - z0),
        (middle, (z0 + z1) / 2, zero + w, z1 - z0),
        (middle, z0 + w / 2, x1 - x0, zero + w),
        (middle, z1 - w / 2, x1 - x0, zero + w),
    ):
        frames.append(
            boxes(np.stack([cx, y, cz], axis=-1), np.stack([sx, zero + 0.05, sz], axis=-1), Material.WOOD, style.frame)
        )
    return join([glass, *frames])


def _rooms(length: float, height: float, style: FacadeStyle) -> Mesh:
    """Floors, back walls and partitions behind the windows."""
    floors = np.arange(0, height, style.storey)
    inside = (0.36, 0.33, 0.28)
    y0, y1 = style.recess + 0.05, ROOM_M
    edge = style.recess + 0.2  # clear of the windows round the corner
    wide, middle, up = length - 2 * edge, (y0 + y1) / 2, height / 2
    slabs = [[length / 2, middle, z] for z in [*floors, height - 0.1]]
    count = int((length - 0.6) / style.bay)
    x = length / 2 + (np.arange(0, count + 1, 2) - count / 2) * style.bay
    walls = [[p, middle, up] for p in x if ROOM_M < p < length - ROOM_M]
    back = [[length / 2, y1, up]]
    return join(
        [
            boxes(slabs, (wide, y1 - y0, 0.12), Material.INTERIOR, inside),
            boxes(walls, (0.08, y1 - y0, height - 0.1), Material.INTERIOR, inside) if walls else empty_mesh(),
            boxes(back, (wide, 0.1, height - 0.1), Material.INTERIOR, (0.28, 0.26, 0.22)),
        ]
    )
