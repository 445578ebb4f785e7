"""Street furniture: lamps, signs, lights, bollards, benches, shelters, fences, rails, wires."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from densegt.simulate.meshes.material import Material
from densegt.simulate.meshes.mesh import Colour, Mesh, join, with_semantic
from densegt.simulate.meshes.primitives import bars, box, boxes, cylinder, disc, quads, tube
from densegt.simulate.meshes.semantic import Semantic

Float64 = NDArray[np.float64]

STEEL: Colour = (0.30, 0.31, 0.32)
DARK: Colour = (0.05, 0.055, 0.055)


def lamp_post(rng: np.random.Generator) -> Mesh:
    """A lamp post whose arm reaches to -y."""
    h, out = float(rng.uniform(6.5, 9.5)), float(rng.uniform(1.2, 2.4))
    post = tube(
        [(0, 0, -0.5), (0, 0, 1.0), (0, 0, h - 0.6), (0, -0.3, h), (0, -out, h + 0.15)],
        [0.10, 0.08, 0.055, 0.05, 0.04],
        Material.METAL,
        STEEL,
    )
    head = box((0, -out - 0.2, h + 0.13), (0.22, 0.6, 0.10), Material.METAL, STEEL)
    glow = box((0, -out - 0.2, h + 0.07), (0.16, 0.5, 0.03), Material.LAMP, (0.8, 0.8, 0.7))
    return with_semantic(join([post, head, glow]), Semantic.POLE_OR_WIRE)


def sign(rng: np.random.Generator) -> Mesh:
    """A traffic sign on a pole; its plate mirrors light back and looks to -x."""
    h = float(rng.uniform(2.1, 2.7))
    pole = tube([(0, 0, -0.5), (0, 0, h + 0.5)], 0.035, Material.METAL, STEEL, sides=7)
    kind = int(rng.integers(4))
    red, white, blue = (0.55, 0.02, 0.03), (0.75, 0.75, 0.73), (0.02, 0.10, 0.42)
    x = -0.05
    if kind == 0:
        plates = [
            disc((x, 0, h), 0, 0.32, Material.RETRO, red, sides=20),
            disc((x - 0.005, 0, h), 0, 0.24, Material.RETRO, white, sides=20),
        ]
    elif kind == 1:
        plates = [disc((x, 0, h), 0, 0.34, Material.RETRO, blue, sides=20)]
    elif kind == 2:
        plates = [disc((x, 0, h), 0, 0.40, Material.RETRO, red, sides=3)]
    else:
        plates = [box((x, 0, h), (0.02, 0.65, 0.65), Material.RETRO, blue)]
    back = disc((x + 0.01, 0, h), 0, 0.33, Material.METAL, (0.4, 0.4, 0.4), sides=16)
    return with_semantic(join([pole, *plates, back]), Semantic.SIGN)


def traffic_light(rng: np.random.Generator) -> Mesh:
    """A traffic light; it looks to -x."""
    h = float(rng.uniform(2.4, 3.0))
    pole = tube([(0, 0, -0.5), (0, 0, h + 0.9)], 0.055, Material.METAL, DARK)
    case = box((-0.12, 0, h + 0.45), (0.2, 0.32, 0.95), Material.PLASTIC, DARK)
    on = int(rng.integers(3))
    colours: list[Colour] = [(0.9, 0.05, 0.03), (0.9, 0.5, 0.02), (0.05, 0.8, 0.3)]
    lamps = [
        disc((-0.225, 0, h + 0.75 - 0.3 * k), 0, 0.105, Material.LAMP, c if k == on else (0.06, 0.05, 0.05), sides=12)
        for k, c in enumerate(colours)
    ]
    return with_semantic(join([pole, case, *lamps]), Semantic.SIGN)


def gantry(span: float) -> Mesh:
    """A gantry over the road along y with signs that look to -x."""
    legs = [tube([(0, s * span / 2, -0.5), (0, s * span / 2, 6.4)], 0.16, Material.METAL, STEEL) for s in (-1, 1)]
    beam = [tube([(0, -span / 2, z), (0, span / 2, z)], 0.09, Material.METAL, STEEL) for z in (5.7, 6.4)]
    y = np.arange(-span / 2, span / 2, 0.9)
    lattice = bars(
        np.column_stack([0 * y, y, 0 * y + 5.7]),
        np.column_stack([0 * y, y + 0.9, 0 * y + 6.4]),
        0.06,
        Material.METAL,
        STEEL,
    )
    boards = boxes([[-0.2, -span / 5, 6.1], [-0.2, span / 5, 6.1]], (0.06, 3.0, 1.7), Material.RETRO, (0.02, 0.16, 0.4))
    return with_semantic(join([*legs, *beam, lattice, boards]), Semantic.SIGN)


def bollards(count: int, step: float) -> Mesh:
    """A row along x."""
    parts = []
    for k in range(count):
        parts.append(cylinder((k * step, 0, -0.2), (k * step, 0, 0.9), 0.06, Material.METAL, DARK, sides=9))
        parts.append(
            tube([(k * step, 0, 0.74), (k * step, 0, 0.82)], 0.063, Material.RETRO, (0.75, 0.75, 0.7), sides=9)
        )
    return with_semantic(join(parts), Semantic.POLE_OR_WIRE)


def bench() -> Mesh:
    """A bench along x."""
    slats = [[0, y, 0.45] for y in (-0.15, 0.0, 0.15)] + [[0, 0.24, z] for z in (0.62, 0.78)]
    wood = boxes(slats, (1.7, 0.10, 0.04), Material.WOOD, (0.28, 0.18, 0.09))
    feet = boxes([[x, 0.02, 0.22] for x in (-0.7, 0.7)], (0.06, 0.4, 0.45), Material.METAL, DARK)
    return with_semantic(join([wood, feet]), Semantic.FURNITURE)


def bin_(rng: np.random.Generator) -> Mesh:
    """A litter bin or a wheeled one."""
    if rng.random() < 0.5:
        mesh = cylinder((0, 0, 0), (0, 0, 0.95), 0.24, Material.METAL, (0.06, 0.12, 0.07))
    else:
        colour: Colour = [(0.03, 0.06, 0.16), (0.04, 0.10, 0.05), (0.05, 0.05, 0.05)][int(rng.integers(3))]
        mesh = join(
            [
                box((0, 0, 0.55), (0.55, 0.6, 0.95), Material.PLASTIC, colour),
                box((0, 0, 1.05), (0.6, 0.66, 0.08), Material.PLASTIC, colour),
            ]
        )
    return with_semantic(mesh, Semantic.FURNITURE)


def hydrant_or_box(rng: np.random.Generator) -> Mesh:
    """A switch box or a post box."""
    if rng.random() < 0.6:
        mesh = box((0, 0, 0.6), (0.8, 0.35, 1.25), Material.METAL, (0.30, 0.33, 0.30))
    else:
        mesh = join(
            [
                box((0, 0, 1.1), (0.4, 0.35, 0.55), Material.METAL, (0.55, 0.35, 0.02)),
                box((0, 0, 0.4), (0.1, 0.1, 0.9), Material.METAL, DARK),
            ]
        )
    return with_semantic(mesh, Semantic.FURNITURE)


def shelter() -> Mesh:
    """A bus shelter of glass panes along x, open to -y."""
    posts = boxes([[x, y, 1.15] for x in (-1.9, 1.9) for y in (-0.6, 0.6)], (0.07, 0.07, 2.4), Material.METAL, DARK)
    roof = box((0, 0, 2.4), (4.2, 1.6, 0.1), Material.METAL, (0.2, 0.2, 0.2))
    clear: Colour = (0.05, 0.055, 0.06)
    panes = boxes([[x, 0.6, 1.25] for x in (-1.27, 0.0, 1.27)], (1.2, 0.012, 1.9), Material.GLASS, clear)
    sides = boxes([[1.9, 0, 1.25], [-1.9, 0, 1.25]], (0.012, 1.1, 1.9), Material.GLASS, clear)
    seat = box((0.2, 0.35, 0.5), (2.6, 0.35, 0.05), Material.WOOD, (0.3, 0.2, 0.12))
    poster = box((-1.86, 0, 1.2), (0.08, 1.1, 1.75), Material.PLASTIC, (0.5, 0.3, 0.25))
    return with_semantic(join([posts, roof, panes, sides, seat, poster]), Semantic.FURNITURE)


def bar_fence(length: float, height: float) -> Mesh:
    """A fence of upright bars along x."""
    x = np.arange(0.0, length, 0.13)
    foot = np.column_stack([x, 0 * x, 0 * x - 0.3])
    upright = bars(foot, foot + np.array([0, 0, height + 0.3]), 0.02, Material.METAL, DARK)
    rails = [[0.0, 0.0, z] for z in (0.15, height - 0.12)]
    across = bars(rails, np.add(rails, (length, 0, 0)), 0.04, Material.METAL, DARK)
    posts = boxes(
        [[p, 0, height / 2 - 0.15] for p in np.arange(0, length + 0.1, 2.5)],
        (0.06, 0.06, height + 0.3),
        Material.METAL,
        DARK,
    )
    return with_semantic(join([upright, across, posts]), Semantic.WALL_OR_FENCE)


def mesh_fence(length: float, height: float) -> Mesh:
    """A fence of wire mesh between posts along x."""
    corners = np.array([[[0, 0, 0], [length, 0, 0], [length, 0, height], [0, 0, height]]], dtype=np.float64)
    wire = quads(corners, Material.MESH, (0.25, 0.27, 0.25))
    posts = boxes(
        [[p, 0, height / 2 - 0.15] for p in np.arange(0, length + 0.1, 2.5)],
        (0.05, 0.05, height + 0.3),
        Material.METAL,
        (0.15, 0.2, 0.16),
    )
    return with_semantic(join([wire, posts]), Semantic.WALL_OR_FENCE)


def wooden_fence(length: float, height: float) -> Mesh:
    """Boards with gaps along x."""
    x = np.arange(0.06, length, 0.15)
    boards = boxes(
        np.column_stack([x, 0 * x, 0 * x + height / 2 - 0.1]),
        (0.12, 0.02, height + 0.2),
        Material.WOOD,
        (0.27, 0.19, 0.11),
    )
    rails = boxes(
        [[length / 2, 0.03, z] for z in (0.3, height - 0.3)], (length, 0.04, 0.08), Material.WOOD, (0.22, 0.15, 0.09)
    )
    return with_semantic(join([boards, rails]), Semantic.WALL_OR_FENCE)


def wall(length: float, height: float) -> Mesh:
    """A garden wall along x."""
    body = box((length / 2, 0, height / 2 - 0.5), (length, 0.24, height + 1.0), Material.BRICK, (0.34, 0.22, 0.16))
    cap = box((length / 2, 0, height + 0.03), (length, 0.32, 0.07), Material.CONCRETE, (0.4, 0.39, 0.37))
    return with_semantic(join([body, cap]), Semantic.WALL_OR_FENCE)


def guard_rail(length: float) -> Mesh:
    """A steel guard rail along x."""
    y = np.array([0.0, -0.05, 0.0, 0.0, -0.05, 0.0])
    z = np.array([0.45, 0.50, 0.56, 0.62, 0.68, 0.75])
    start, end = np.column_stack([0 * y, y, z]), np.column_stack([0 * y + length, y, z])
    strips = np.stack([start[:-1], end[:-1], end[1:], start[1:]], axis=1)
    front = quads(strips, Material.METAL, (0.42, 0.43, 0.44))
    posts = boxes(
        [[p, 0.06, 0.2] for p in np.arange(0, length, 2.0)], (0.06, 0.1, 1.1), Material.METAL, (0.38, 0.39, 0.4)
    )
    studs = boxes(
        [[p, -0.06, 0.62] for p in np.arange(0, length, 8.0)], (0.02, 0.02, 0.08), Material.RETRO, (0.75, 0.5, 0.1)
    )
    return with_semantic(join([front, posts, studs]), Semantic.WALL_OR_FENCE)


def wire(start: Float64, end: Float64, sag: float) -> Mesh:
    """A sagging wire."""
    u = np.linspace(0, 1, 9)[:, None]
    points = start + u * (end - start) - [0, 0, 4 * sag] * u * (1 - u)
    return with_semantic(
        bars(points[:-1], points[1:], 0.025, Material.RUBBER, (0.02, 0.02, 0.02)), Semantic.POLE_OR_WIRE
    )


def wire_pole() -> Mesh:
    """A wooden pole with a cross-beam along y."""
    pole = tube([(0, 0, -0.5), (0, 0, 8.2)], [0.15, 0.10], Material.WOOD, (0.14, 0.10, 0.07))
    beam = box((0, 0, 7.6), (0.1, 2.0, 0.12), Material.WOOD, (0.14, 0.10, 0.07))
    return with_semantic(join([pole, beam]), Semantic.POLE_OR_WIRE)


CONCRETE: Colour = (0.36, 0.355, 0.34)


def bridge(span: float, width: float, clearance: float) -> Mesh:
    """A bridge over the road: its deck goes along y, with parapets and railings, and earth at both ends."""
    deck = box((0, 0, clearance + 0.5), (width, span, 1.0), Material.CONCRETE, CONCRETE)
    beams = boxes(
        [[x, 0, clearance - 0.15] for x in np.linspace(-0.4, 0.4, 4) * width],
        (0.5, span, 0.5),
        Material.CONCRETE,
        CONCRETE,
    )
    edges = [[x, 0, clearance + 1.25] for x in (-width / 2, width / 2)]
    rim = boxes(edges, (0.25, span, 0.5), Material.CONCRETE, CONCRETE)
    earth = boxes(
        [[0, a * (span / 2 - 4), clearance / 2 - 1] for a in (-1, 1)],
        (width, 10.0, clearance + 2),
        Material.CONCRETE,
        CONCRETE,
    )
    y = np.arange(-span / 2, span / 2, 0.4)
    rails = []
    for x in (-width / 2, width / 2):
        foot = np.column_stack([0 * y + x, y, 0 * y + clearance + 1.5])
        rails.append(bars(foot, foot + np.array([0, 0, 0.8]), 0.03, Material.METAL, STEEL))
        rails.append(
            bars([[x, -span / 2, clearance + 2.3]], [[x, span / 2, clearance + 2.3]], 0.06, Material.METAL, STEEL)
        )
    return with_semantic(join([deck, beams, rim, earth, *rails]), Semantic.BRIDGE)


def underpass_piece(length: float, half_width: float, clearance: float, *, lamp: bool) -> Mesh:
    """A piece of an underpass about the origin: the deck along y, a wall on each side of the road, perhaps a lamp."""
    deck = box((0, 0, clearance + 0.6), (length, 2 * half_width + 1.6, 1.2), Material.CONCRETE, CONCRETE)
    beam = box((0, 0, clearance - 0.2), (0.5, 2 * half_width, 0.5), Material.CONCRETE, CONCRETE)
    walls = boxes(
        [[0, a * (half_width + 0.4), clearance / 2 - 0.5] for a in (-1, 1)], (length, 0.8, clearance + 1.4),
        Material.CONCRETE, (0.30, 0.295, 0.28),
    )  # fmt: skip
    parts = [deck, beam, walls]
    if lamp:
        feet = [[0, a * 0.6 * half_width, clearance - 0.04] for a in (-1, 1)]
        parts.append(boxes(feet, (1.2, 0.25, 0.08), Material.LAMP, (0.8, 0.8, 0.7)))
    return with_semantic(join(parts), Semantic.BRIDGE)


def portal(half_width: float, clearance: float) -> Mesh:
    """An underpass's end: a parapet with a railing, and walls that hold the ground beside it."""
    y = np.arange(-half_width - 0.8, half_width + 0.8, 0.4)
    foot = np.column_stack([0 * y, y, 0 * y + clearance + 1.7])
    parts = [
        box((0, 0, clearance + 1.45), (0.3, 2 * half_width + 1.6, 0.5), Material.CONCRETE, CONCRETE),
        bars(foot, foot + np.array([0, 0, 0.9]), 0.03, Material.METAL, STEEL),
    ]
    for a in (-1, 1):
        parts.append(
            box(
                (0, a * (half_width + 8.8), clearance / 2 - 0.5),
                (0.5, 16.0, clearance + 3.4),
                Material.BRICK,
                (0.30, 0.2, 0.15),
            )
        )
    return with_semantic(join(parts), Semantic.BRIDGE)


def parking_deck(width: float, rise: float) -> Mesh:
    """A ramp from y = 0 up to a deck on pillars; it looks to -y and lies about x = 0."""
    run, w = 11.0, 1.9
    slope = [[[-w, 0, 0.02], [w, 0, 0.02], [w, run, rise], [-w, run, rise]]]
    sides = [[[a, 0, -0.5], [a, run, -0.5], [a, run, rise + 0.9], [a, 0, 0.9]] for a in (-w - 0.2, -w, w, w + 0.2)]
    posts = [
        [x, y, rise / 2 - 0.7]
        for x in np.arange(-width / 2 + 0.5, width / 2, 4.0)
        for y in (run + 0.5, run + 6, run + 11.5)
    ]
    floor = box((0, run + 6, rise - 0.15), (width, 12.0, 0.3), Material.CONCRETE, CONCRETE)
    rim = boxes(
        [[x, run + 0.1, rise + 0.45] for x in (-(width / 4 + w / 2), width / 4 + w / 2)],
        (width / 2 - w, 0.2, 0.9), Material.CONCRETE, CONCRETE,
    )  # fmt: skip
    back = box((0, run + 12, rise / 2), (width, 0.3, rise + 3.0), Material.CONCRETE, CONCRETE)
    parts = [
        quads(slope, Material.CONCRETE, (0.27, 0.265, 0.26)), quads(sides, Material.CONCRETE, CONCRETE),
        boxes(posts, (0.4, 0.4, rise + 1.2), Material.CONCRETE, CONCRETE), floor, rim, back,
    ]  # fmt: skip
    return with_semantic(join(parts), Semantic.BUILDING)


def pillar(height: float) -> Mesh:
    """A bridge's pillar."""
    return with_semantic(
        cylinder((0, 0, -3.0), (0, 0, height), 0.55, Material.CONCRETE, (0.36, 0.355, 0.34), sides=16), Semantic.BRIDGE
    )
