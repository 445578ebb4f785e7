"""A vehicle's shell: cross-sections along its length, with windows, wheel arches and what is seen through them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from densegt.geometry.se3 import from_yaw
from densegt.simulate.meshes.material import Material
from densegt.simulate.meshes.mesh import Colour, Mesh, grid_cells, join, mirrored_y, moved, rgb, shifted, two_triangles
from densegt.simulate.meshes.primitives import box, cylinder, disc, triangles

Float64 = NDArray[np.float64]


@dataclass(frozen=True)
class Profile:
    """A body's outline; x runs from the tail at 0 to the nose at `length`, m.

    Attributes:
        half_width, floor, belt, roof: half width at the belt, and heights.
        bonnet, screen: x where the windscreen begins and where the roof begins; tail, rear: where the roof ends and
            where the rear window ends; deck, nose: heights of the boot at x = 0 and of the bonnet at the nose.
        tumblehome: how much narrower the roof is on each side.
        wheels: x of the axles; radius: of the wheels.
        pillars: x of the posts between side windows; glazed: (x0, x1) of the side windows, (0, 0) = none.
        rear_glass: whether the rear has a window.
    """

    length: float
    half_width: float
    floor: float
    belt: float
    roof: float
    bonnet: float
    screen: float
    tail: float
    rear: float
    deck: float
    nose: float
    tumblehome: float
    wheels: tuple[float, ...]
    radius: float
    pillars: tuple[float, ...]
    glazed: tuple[float, float]
    rear_glass: bool = True


@dataclass(frozen=True)
class Door:
    """A front door that stands open by an angle (rad); side 1 = left, -1 = right."""

    side: int
    open_rad: float


PILLAR_M = 0.09
RINGS = 8


def shell(p: Profile, paint: Colour, material: Material = Material.PAINT, *, door: Door | None = None) -> Mesh:
    """The whole body on its wheels; z = 0 is the ground, y = 0 the middle."""
    x = _stations(p)
    ring = np.stack([_ring(p, float(s)) for s in x])  # (S, RINGS, 3), from the keel up to the roof's middle
    normals = _smooth_normals(ring)
    keep, materials, colours = _skin(p, x, paint, material)
    ends = join([_end(ring[0], paint, material), _end(ring[-1][::-1], paint, material)])
    half = join([_strips(ring, normals, keep, materials, colours), ends])
    if door is None:
        return join([half, mirrored_y(half), _wheels(p), _arches(p)])
    leaf = _leaf(p, x) & keep
    other = join([_strips(ring, normals, keep & ~leaf, materials, colours), ends])
    other = join([other, _swung(p, _strips(ring, normals, leaf, materials, colours), door.open_rad)])
    sides = [other, mirrored_y(half)] if door.side > 0 else [half, mirrored_y(other)]
    return join([*sides, _wheels(p), _arches(p)])


def _door_span(p: Profile) -> tuple[float, float]:
    """x from the middle pillar to the hinge of a front door."""
    return p.pillars[0] + PILLAR_M / 2, min(p.bonnet - 0.1, p.wheels[-1] - 1.2 * p.radius)


def _leaf(p: Profile, x: Float64) -> NDArray[np.bool_]:
    """The patches (S-1, RINGS-1) of a front door."""
    rear, hinge = _door_span(p)
    middle = (x[:-1] + x[1:]) / 2
    leaf = np.zeros((len(middle), RINGS - 1), dtype=bool)
    leaf[(middle > rear) & (middle < hinge), 1:5] = True
    return leaf


def _swung(p: Profile, leaf: Mesh, open_rad: float) -> Mesh:
    """A left door with its lining, turned about its hinge."""
    rear, hinge = _door_span(p)
    size = (hinge - rear - 0.1, 0.05, p.belt - p.floor - 0.2)
    middle = ((hinge + rear) / 2, 0.985 * p.half_width - 0.07, (p.belt + p.floor) / 2 + 0.04)
    lining = box(middle, size, Material.PLASTIC, (0.04, 0.04, 0.045))
    at = np.array([hinge, 0.985 * p.half_width, 0.0])
    return moved(shifted(join([leaf, lining]), -at), from_yaw(-open_rad, at))


def _stations(p: Profile) -> Float64:
    """Where cross-sections lie along the length."""
    marks = [0.0, 0.05, 0.15, p.rear, p.tail, p.screen, p.bonnet, p.length - 0.25, p.length - 0.08, p.length]
    marks += [w + a * p.radius * 1.15 for w in p.wheels for a in (-1, -0.7, 0.7, 1)]
    marks += [post + a * PILLAR_M / 2 for post in p.pillars for a in (-1, 1)]
    marks += list(np.linspace(p.screen, p.bonnet, 4)) + list(np.linspace(p.rear, p.tail, 4))
    marks += [g for g in p.glazed if 0 < g < p.length]
    marks += list(np.arange(0.5, p.length - 0.4, 0.9))
    x = np.unique(np.clip(np.round(marks, 3), 0, p.length))
    kept: Float64 = x[np.concatenate([[True], np.diff(x) > 0.02])]
    return kept


def _top(p: Profile, x: float) -> float:
    """Height of the outline over x."""
    shape_x = [0.0, 0.08, max(p.rear, 0.1), max(p.tail, 0.12), p.screen, p.bonnet, p.length - 0.35, p.length]
    deck = p.deck
    shape_z = [
        deck - 0.12,
        deck,
        deck + 0.02 if p.rear > 0.15 else deck + 0.03,
        p.roof,
        p.roof,
        p.belt + 0.06,
        p.nose + 0.05,
        p.nose - 0.12,
    ]
    if p.rear <= 0.15:
        shape_z[0:3] = [deck, deck + 0.04, deck + 0.06]
    dome = 0.03 * np.sin(np.pi * np.clip((x - p.tail) / max(p.screen - p.tail, 0.1), 0, 1))
    return float(np.interp(x, shape_x, shape_z) + dome)


def _ring(p: Profile, x: float) -> Float64:
    """Half of the cross-section at x, (RINGS,3), y >= 0."""
    u = np.clip(min(x, p.length - x) / 0.45, 0, 1)
    plan = 1 - 0.16 * (1 - u) ** 2  # narrower towards both ends
    w = p.half_width * plan
    top = _top(p, x)
    floor = p.floor + 0.12 * (1 - u)
    belt = min(p.belt, top - 0.03)
    roof_w = max(w - p.tumblehome * np.clip((top - belt) / max(p.roof - p.belt, 0.1), 0, 1) - 0.03, 0.2)
    middle = floor + 0.45 * (belt - floor)
    return np.array(
        [
            [x, 0.0, floor], [x, w * 0.92, floor], [x, w * 0.985, floor + 0.10], [x, w, middle], [x, w * 0.985, belt],
            [x, roof_w, top - 0.35 * min(0.14, top - belt)], 
            [x, roof_w * 0.82, top - 0.1 * min(0.12, top - belt)], [x, 0.0, top],
        ]
    )  # fmt: skip


def _smooth_normals(ring: Float64) -> Float64:
    along, around = np.gradient(ring, axis=0), np.gradient(ring, axis=1)
    normal = np.cross(around, -along)
    normal[:, -1, 1] = normal[:, 0, 1] = 0.0
    out: Float64 = normal / np.maximum(np.linalg.norm(normal, axis=-1, keepdims=True), 1e-12)
    return out


def _skin(
    p: Profile, x: Float64, paint: Colour, material: Material
) -> tuple[NDArray[np.bool_], NDArray[np.uint8], NDArray[np.float32]]:
    """What each patch (S-1, RINGS-1) is: kept or open, material, colour."""
    a, b = x[:-1], x[1:]
    middle = (a + b) / 2
    shape = (len(middle), RINGS - 1)
    materials = np.full(shape, material, dtype=np.uint8)
    colours = np.broadcast_to(rgb(paint), (*shape, 3)).copy()
    keep = np.ones(shape, dtype=bool)
    materials[:, 0], colours[:, 0] = Material.PLASTIC, (0.02, 0.02, 0.02)
    materials[:, 1], colours[:, 1] = Material.PLASTIC, tuple(0.5 * c for c in paint)
    for wheel in p.wheels:
        arch = np.abs(middle - wheel) < p.radius * 1.12
        keep[arch, 1:3] = False
    post = np.any([np.abs(middle - c) < PILLAR_M / 2 for c in p.pillars] or [np.zeros(len(middle), bool)], axis=0)
    glass = np.zeros(shape, dtype=bool)
    glass[:, 4] = (middle > p.glazed[0]) & (middle < p.glazed[1]) & ~post
    screen = (middle > p.screen + 0.02) & (middle < p.bonnet - 0.02)
    glass[screen, 6] = True
    glass[screen, 5] = True
    if p.rear_glass:
        rear = (middle > max(p.rear, 0.06)) & (middle < p.tail - 0.02)
        glass[rear, 5:7] = True
    materials[glass] = Material.GLASS
    colours[glass] = (0.03, 0.035, 0.035)
    return keep, materials, colours


def _strips(
    ring: Float64, normals: Float64, keep: NDArray[np.bool_], materials: NDArray[np.uint8], colours: NDArray[np.float32]
) -> Mesh:
    rows, columns = ring.shape[:2]
    faces = two_triangles(grid_cells(rows, columns)[keep.reshape(-1)], (0, columns, columns + 1, 1))
    uv = ring[..., [0, 2]].reshape(-1, 2)
    mesh = triangles(
        ring.reshape(-1, 3), normals.reshape(-1, 3), uv, faces, Material.PAINT, np.repeat(colours[keep], 2, axis=0)
    )
    mesh.material[:] = np.repeat(materials[keep], 2)
    return mesh


def _end(ring: Float64, paint: Colour, material: Material) -> Mesh:
    """The flat front or back of one half."""
    x = ring[0, 0]
    middle = np.array([x, 0.0, ring[:, 2].mean()])
    vertices = np.concatenate([middle[None], ring])
    way = -1.0 if ring[0, 2] < ring[-1, 2] else 1.0
    n = len(ring)
    faces = np.stack([np.zeros(n - 1, dtype=np.int64), np.arange(1, n), np.arange(2, n + 1)], axis=1)[:, ::-1]
    normals = np.tile([way, 0.0, 0.0], (n + 1, 1))
    return triangles(vertices, normals, vertices[:, 1:].copy(), faces, material, paint)


def _wheels(p: Profile) -> Mesh:
    """Tyres with rims."""
    parts = []
    width = 0.2 if p.radius < 0.4 else 0.28
    for x in p.wheels:
        for side in (-1, 1):
            y = side * (p.half_width - width / 2 - 0.03)
            a, b = (x, y - width / 2, p.radius), (x, y + width / 2, p.radius)
            parts.append(cylinder(a, b, p.radius, Material.RUBBER, (0.02, 0.02, 0.02), sides=18))
            out = side * (width / 2 + 0.004)
            rim = disc((x, y + out, p.radius), 1, p.radius * 0.66, Material.METAL, (0.35, 0.35, 0.36), sides=14)
            parts.append(rim)
            for k in range(5):
                t = 2 * np.pi * k / 5
                spot = (x + 0.4 * p.radius * np.cos(t), y + out * 1.03, p.radius + 0.4 * p.radius * np.sin(t))
                parts.append(disc(spot, 1, p.radius * 0.13, Material.RUBBER, (0.02, 0.02, 0.02), sides=6))
    return join(parts)


def _arches(p: Profile) -> Mesh:
    """Dark boxes behind the wheels, so that nothing shines through the arches."""
    black: Colour = (0.01, 0.01, 0.01)
    inner = p.half_width - 0.36
    return join(
        [box((x, 0, p.floor + 0.25), (2.5 * p.radius, 2 * inner, 0.5), Material.PLASTIC, black) for x in p.wheels]
    )
