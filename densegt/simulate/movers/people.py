"""People: walking, standing, sitting, with what they carry, push or ride in; and dogs."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from densegt.simulate.meshes.material import Material
from densegt.simulate.meshes.mesh import Colour, Mesh, join
from densegt.simulate.meshes.primitives import box, cylinder, ellipsoid, tube
from densegt.simulate.movers.skeleton import Bone, Skeleton

BODY = -1
TRUNK, HEAD = 0, 1

SKINS: tuple[Colour, ...] = ((0.55, 0.38, 0.29), (0.42, 0.27, 0.18), (0.25, 0.15, 0.10), (0.10, 0.06, 0.045))
HAIRS: tuple[Colour, ...] = ((0.02, 0.018, 0.015), (0.09, 0.05, 0.03), (0.32, 0.22, 0.10), (0.35, 0.34, 0.33))


def _cloth(rng: np.random.Generator) -> Colour:
    if rng.random() < 0.45:
        tone = float(rng.uniform(0.015, 0.12))
        return (tone, tone, tone * 1.1)
    r, g, b = rng.uniform(0.04, 0.5, 3)
    return (float(r), float(g), float(b))


def _limb(length: float, top: float, end: float, material: Material, colour: Colour) -> Mesh:
    """A tapered limb that hangs from its joint."""
    z = -np.array([-0.35 * top, 0.0, 0.3, 0.7, 1.0, 1.0 + 0.35 * end / length]) * np.array(
        [1.0, 1, length, length, length, length]
    )
    r = np.array([0.0, top, 1.08 * top, (top + end) / 2, end, 0.0])
    return tube(np.column_stack([np.zeros((6, 2)), z]), r, material, colour, sides=7)


def person(rng: np.random.Generator, height: float, pose: str) -> Skeleton:
    """A person of a height in m; pose is "walk", "stand", "sit" or "ride"; the ground (or saddle) is z = 0."""
    h, wide = height, float(rng.uniform(0.9, 1.25))
    shirt, trousers, skin = _cloth(rng), _cloth(rng), SKINS[int(rng.integers(len(SKINS)))]
    hair = HAIRS[int(rng.integers(len(HAIRS)))]
    hip = {"sit": 0.26 * h + 0.2, "ride": 0.0}.get(pose, 0.53 * h)
    lean = {"ride": 0.35, "sit": -0.1}.get(pose, 0.03)
    trunk = tube(
        [(0, 0, -0.06 * h), (0, 0, -0.02 * h), (0, 0, 0.12 * h), (0.01, 0, 0.24 * h), (0, 0, 0.29 * h),
         (0, 0, 0.31 * h)],
        np.array([0.0, 0.085, 0.082, 0.098, 0.06, 0.0]) * h * wide, Material.CLOTH, shirt, sides=9,
    )  # fmt: skip
    trunk = Mesh(
        trunk.vertices * [0.72, 1.25, 1],
        trunk.normals,
        trunk.uv,
        trunk.triangles,
        trunk.material,
        trunk.colour,
        trunk.semantic,
    )
    head = join(
        [
            ellipsoid((0.01 * h, 0, 0.085 * h), (0.055 * h, 0.045 * h, 0.07 * h), Material.SKIN, skin),
            ellipsoid((-0.008 * h, 0, 0.105 * h), (0.055 * h, 0.05 * h, 0.055 * h), Material.CLOTH, hair),
            cylinder((0, 0, -0.02 * h), (0, 0, 0.05 * h), 0.03 * h, Material.SKIN, skin, sides=6),
        ]
    )
    extras = [trunk]
    if rng.random() < 0.3:
        extras.append(box((-0.12 * h, 0, 0.17 * h), (0.1 * h, 0.19 * h, 0.25 * h), Material.CLOTH, _cloth(rng)))
    bones = [Bone(join(extras), BODY, (0, 0, hip), rest_rad=lean), Bone(head, TRUNK, (0, 0, 0.29 * h), rest_rad=-lean)]
    build = Build(h, wide, pose, float(rng.uniform(0.38, 0.55)))
    for side, phase in ((1, 0.0), (-1, np.pi)):
        bones += _leg(build, side, phase, trousers, len(bones))
        bones += _arm(rng, build, side, phase + np.pi, shirt, skin, len(bones))
    if pose == "sit":
        seat_m = hip - 0.06 * h
        block = box((-0.05, 0, seat_m / 2), (0.4, 0.5, seat_m), Material.CONCRETE, (0.3, 0.3, 0.29))
        bones.append(Bone(block, BODY, (0, 0, 0)))
    return Skeleton(tuple(bones))


class Build(NamedTuple):
    """A person's height in m, width relative to that of a slim one, pose, and amplitude of the legs in rad."""

    height: float
    wide: float
    pose: str
    swing: float


def _leg(build: Build, side: int, phase: float, colour: Colour, first: int) -> list[Bone]:
    h, wide, pose, swing = build
    rest = {"sit": -1.45, "ride": -1.15}.get(pose, 0.0)
    knee = {"sit": 1.45, "ride": 1.35}.get(pose, 0.05)
    moving = {"walk": swing, "ride": 0.45}.get(pose, 0.0)
    hip = (0.0, side * 0.055 * h * wide, 0.0)
    lower_start = -1
    joint = (0.02 if pose == "sit" else 0.0, hip[1], {"sit": 0.26 * h + 0.2, "ride": 0.0}.get(pose, 0.53 * h))
    thigh = Bone(
        _limb(0.25 * h, 0.055 * h * wide, 0.036 * h, Material.CLOTH, colour),
        lower_start,
        joint,
        -rest * -1,
        0.0,
        moving,
        phase,
    )
    shin = Bone(
        _limb(0.25 * h, 0.036 * h, 0.024 * h, Material.CLOTH, colour), first, (0, 0, -0.25 * h), knee, 0.0,
        0.9 * moving if pose == "walk" else 0.5 * moving, phase + 0.5 * np.pi + np.pi, 1,
    )  # fmt: skip
    shoe: Colour = (0.03, 0.03, 0.03)
    foot = Bone(
        box((0.05 * h, 0, -0.012 * h), (0.15 * h, 0.055 * h, 0.035 * h), Material.RUBBER, shoe),
        first + 1,
        (0, 0, -0.25 * h),
    )
    return [thigh, shin, foot]


def _arm(
    rng: np.random.Generator, build: Build, side: int, phase: float, shirt: Colour, skin: Colour, first: int
) -> list[Bone]:
    h, wide, pose, swing = build
    rest = {"ride": -1.1, "sit": -0.4}.get(pose, 0.0)
    elbow = {"ride": -0.5, "sit": -0.8}.get(pose, -0.25)
    if pose == "stand" and rng.random() < 0.3:  # holds a telephone
        rest, elbow = -0.4, -1.9
    moving = 0.9 * swing if pose == "walk" else 0.0
    shoulder = (0.0, side * 0.115 * h * wide, 0.265 * h)
    upper = Bone(
        _limb(0.17 * h, 0.036 * h, 0.027 * h, Material.CLOTH, shirt), TRUNK, shoulder, rest, side * 0.1, moving, phase
    )
    lower_mesh = join(
        [
            _limb(0.15 * h, 0.027 * h, 0.02 * h, Material.CLOTH, shirt),
            ellipsoid((0.0, 0, -0.18 * h), (0.022 * h, 0.016 * h, 0.035 * h), Material.SKIN, skin, sides=6),
        ]
    )
    if pose in ("walk", "stand") and rng.random() < 0.15:  # a bag in the hand
        lower_mesh = join(
            [lower_mesh, box((0, 0, -0.33 * h), (0.16 * h, 0.06 * h, 0.2 * h), Material.CLOTH, _cloth(rng))]
        )
    lower = Bone(lower_mesh, first, (0, 0, -0.17 * h), elbow, 0.0, 0.4 * moving, phase + 0.3)
    return [upper, lower]


def pram(rng: np.random.Generator) -> Skeleton:
    """A pram, pushed from behind."""
    colour = _cloth(rng)
    steel: Colour = (0.3, 0.3, 0.3)
    parts = [
        ellipsoid((0.1, 0, 0.72), (0.42, 0.22, 0.26), Material.CLOTH, colour),
        tube([(-0.2, 0.2, 0.7), (-0.6, 0.2, 1.02)], 0.015, Material.METAL, steel, sides=5),
        tube([(-0.2, -0.2, 0.7), (-0.6, -0.2, 1.02)], 0.015, Material.METAL, steel, sides=5),
        tube([(-0.6, -0.2, 1.02), (-0.6, 0.2, 1.02)], 0.015, Material.METAL, steel, sides=5),
        tube([(-0.3, 0.2, 0.15), (0.3, 0.2, 0.55)], 0.015, Material.METAL, steel, sides=5),
        tube([(-0.3, -0.2, 0.15), (0.3, -0.2, 0.55)], 0.015, Material.METAL, steel, sides=5),
    ]
    parts += [
        cylinder((x, y - 0.02, 0.13), (x, y + 0.02, 0.13), 0.13, Material.RUBBER, (0.03, 0.03, 0.03), sides=10)
        for x in (-0.3, 0.4)
        for y in (-0.24, 0.24)
    ]
    return Skeleton((Bone(join(parts), BODY, (0, 0, 0)),))


def wheelchair(rng: np.random.Generator) -> Skeleton:
    """A wheelchair with its user."""
    sitter = person(rng, float(rng.uniform(1.55, 1.8)), "sit").bones[:-1]  # without the block to sit on
    dark: Colour = (0.04, 0.04, 0.045)
    chair = [
        box((-0.02, 0, 0.5), (0.45, 0.44, 0.06), Material.CLOTH, dark),
        box((-0.25, 0, 0.78), (0.05, 0.44, 0.5), Material.CLOTH, dark),
        *[wheel((-0.1, y, 0.3), 0.3, 0.025) for y in (-0.28, 0.28)],
        *[
            cylinder((0.35, y - 0.02, 0.08), (0.35, y + 0.02, 0.08), 0.08, Material.RUBBER, dark, sides=8)
            for y in (-0.2, 0.2)
        ],
        *[
            tube([(0.2, y, 0.45), (0.42, y, 0.12)], 0.015, Material.METAL, (0.35, 0.35, 0.35), sides=5)
            for y in (-0.2, 0.2)
        ],
    ]
    return Skeleton((*sitter, Bone(join(chair), BODY, (0, 0, 0))))


def wheel(middle: tuple[float, float, float], radius: float, thick: float) -> Mesh:
    """A thin wheel with spokes in the plane y = constant."""
    turn = np.linspace(0, 2 * np.pi, 21)
    rim = np.array(middle) + radius * np.column_stack([np.cos(turn), np.zeros(21), np.sin(turn)])
    parts = [tube(rim, thick, Material.RUBBER, (0.02, 0.02, 0.02), sides=5)]
    for t in np.linspace(0, 2 * np.pi, 8, endpoint=False):
        end = np.array(middle) + radius * np.array([np.cos(t), 0, np.sin(t)])
        parts.append(tube([middle, end], 0.003, Material.METAL, (0.4, 0.4, 0.4), sides=3))
    return join(parts)


def dog(rng: np.random.Generator) -> Skeleton:
    """A dog that trots."""
    size = float(rng.uniform(0.35, 0.75))
    coat = HAIRS[int(rng.integers(len(HAIRS)))]
    trunk = join(
        [
            ellipsoid((0, 0, 0.72 * size), (0.55 * size, 0.2 * size, 0.23 * size), Material.CLOTH, coat),
            ellipsoid((0.62 * size, 0, 0.98 * size), (0.22 * size, 0.12 * size, 0.14 * size), Material.CLOTH, coat),
            tube(
                [(0.4 * size, 0, 0.75 * size), (0.55 * size, 0, 0.95 * size)], 0.1 * size, Material.CLOTH, coat, sides=6
            ),
            tube(
                [(-0.5 * size, 0, 0.8 * size), (-0.8 * size, 0, 1.05 * size)],
                0.035 * size,
                Material.CLOTH,
                coat,
                sides=5,
            ),
        ]
    )
    leg = _limb(0.55 * size, 0.07 * size, 0.035 * size, Material.CLOTH, coat)
    bones = [Bone(trunk, BODY, (0, 0, 0))]
    for x, y, phase in ((0.38, 0.12, 0.0), (0.38, -0.12, np.pi), (-0.38, 0.12, np.pi), (-0.38, -0.12, 0.0)):
        bones.append(Bone(leg, BODY, (x * size, y * size, 0.6 * size), 0.0, 0.0, 0.5, phase))
    return Skeleton(tuple(bones))
