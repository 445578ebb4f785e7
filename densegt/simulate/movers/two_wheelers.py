"""Bicycles, motorcycles and kick scooters, with riders."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from densegt.simulate.meshes.material import Material
from densegt.simulate.meshes.mesh import Colour, Mesh, join
from densegt.simulate.meshes.primitives import box, cylinder, ellipsoid, tube
from densegt.simulate.meshes.semantic import Semantic
from densegt.simulate.movers.people import BODY, HEAD, person, wheel
from densegt.simulate.movers.skeleton import Bone, Skeleton
from densegt.simulate.movers.vehicles import paint


def bicycle(rng: np.random.Generator, *, rider: bool) -> Skeleton:
    """A bicycle; its wheels touch z = 0 at x = -0.5 and 0.55."""
    frame = _bicycle_frame(paint(rng))
    if not rider:
        return Skeleton((Bone(frame, BODY, (0, 0, 0)),))
    return Skeleton(
        (*_seated(rng, "ride", (-0.18, 0.0, 0.98), float(rng.uniform(1.55, 1.85))), Bone(frame, BODY, (0, 0, 0)))
    )


def _seated(rng: np.random.Generator, pose: str, saddle: tuple[float, float, float], height: float) -> list[Bone]:
    """A rider's bones, moved to the saddle."""
    bones = []
    for bone in person(rng, height, pose).bones:
        if bone.parent == BODY:
            x, y, z = bone.joint
            bone = replace(bone, joint=(x + saddle[0], y + saddle[1], z + saddle[2]))
        mesh = replace(bone.mesh, semantic=np.full(len(bone.mesh.triangles), Semantic.RIDER, dtype=np.uint8))
        bones.append(replace(bone, mesh=mesh))
    return bones


def _bicycle_frame(colour: Colour) -> Mesh:
    hub, crank, seat, head = (-0.5, 0, 0.34), (-0.08, 0, 0.3), (-0.2, 0, 0.78), (0.36, 0, 0.82)
    lines = [
        (hub, crank),
        (crank, seat),
        (seat, head),
        (crank, head),
        (hub, seat),
        (head, (0.55, 0, 0.34)),
        (head, (0.33, 0, 1.0)),
    ]
    parts = [tube(line, 0.018, Material.PAINT, colour, sides=6) for line in lines]
    parts += [wheel((-0.5, 0, 0.34), 0.33, 0.018), wheel((0.55, 0, 0.34), 0.33, 0.018)]
    parts.append(
        tube([(0.3, -0.3, 1.0), (0.33, 0, 1.02), (0.3, 0.3, 1.0)], 0.014, Material.METAL, (0.1, 0.1, 0.1), sides=5)
    )
    parts.append(box((-0.24, 0, 0.93), (0.26, 0.15, 0.07), Material.RUBBER, (0.02, 0.02, 0.02)))
    parts.append(tube([seat, (-0.23, 0, 0.92)], 0.014, Material.METAL, (0.3, 0.3, 0.3), sides=5))
    parts.append(box((-0.86, 0, 0.6), (0.01, 0.06, 0.06), Material.RETRO, (0.5, 0.03, 0.03)))
    return join(parts)


def motorcycle(rng: np.random.Generator, *, rider: bool) -> Skeleton:
    """A motorcycle or motor scooter."""
    colour, dark = paint(rng), (0.03, 0.03, 0.03)
    parts = [
        cylinder((-0.65, -0.07, 0.31), (-0.65, 0.07, 0.31), 0.31, Material.RUBBER, dark, sides=16),
        cylinder((0.75, -0.06, 0.31), (0.75, 0.06, 0.31), 0.31, Material.RUBBER, dark, sides=16),
        ellipsoid((0.1, 0, 0.55), (0.38, 0.2, 0.25), Material.METAL, (0.2, 0.2, 0.2)),
        ellipsoid((0.2, 0, 0.88), (0.32, 0.17, 0.15), Material.PAINT, colour),
        ellipsoid((-0.4, 0, 0.82), (0.45, 0.15, 0.09), Material.CLOTH, dark),
        ellipsoid((0.62, 0, 0.9), (0.2, 0.2, 0.25), Material.PAINT, colour),
        tube([(0.75, 0.08, 0.31), (0.5, 0.08, 1.0)], 0.03, Material.METAL, (0.4, 0.4, 0.4), sides=6),
        tube([(0.75, -0.08, 0.31), (0.5, -0.08, 1.0)], 0.03, Material.METAL, (0.4, 0.4, 0.4), sides=6),
        tube([(0.42, -0.38, 1.05), (0.5, 0, 1.05), (0.42, 0.38, 1.05)], 0.02, Material.METAL, dark, sides=5),
        tube([(0.0, -0.2, 0.35), (-0.8, -0.2, 0.45)], 0.05, Material.METAL, (0.35, 0.35, 0.35), sides=7),
        box((-0.88, 0, 0.78), (0.04, 0.2, 0.08), Material.LAMP, (0.4, 0.02, 0.02)),
        box((-0.9, 0, 0.62), (0.02, 0.2, 0.14), Material.RETRO, (0.7, 0.7, 0.65)),
    ]
    if rng.random() < 0.3:
        parts.append(box((-0.8, 0, 1.05), (0.38, 0.42, 0.34), Material.PLASTIC, colour))
    machine = Bone(join(parts), BODY, (0, 0, 0))
    if not rider:
        return Skeleton((machine,))
    helmet = ellipsoid((0.0, 0, 0.155), (0.15, 0.13, 0.16), Material.PLASTIC, paint(rng))
    return Skeleton((*_seated(rng, "ride", (-0.25, 0, 0.88), 1.75), machine, Bone(helmet, HEAD, (0, 0, 0))))


def scooter(rng: np.random.Generator) -> Skeleton:
    """A kick scooter with its rider."""
    dark: Colour = (0.05, 0.05, 0.05)
    parts = [
        box((0, 0, 0.13), (0.9, 0.16, 0.05), Material.METAL, dark),
        tube([(0.42, 0, 0.12), (0.36, 0, 1.1)], 0.022, Material.METAL, dark, sides=6),
        tube([(0.36, -0.22, 1.1), (0.36, 0.22, 1.1)], 0.015, Material.METAL, dark, sides=5),
        *[cylinder((x, -0.025, 0.1), (x, 0.025, 0.1), 0.1, Material.RUBBER, dark, sides=10) for x in (-0.45, 0.48)],
    ]
    stander = _seated(rng, "stand", (0.0, 0.0, 0.15), float(rng.uniform(1.5, 1.85)))
    return Skeleton((*stander, Bone(join(parts), BODY, (0, 0, 0))))
