"""People and bicycles: a rigid trunk and limbs that swing about joints. x ahead, y left, z up from the ground."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from densegt.simulate.simple.materials import Material
from densegt.simulate.simple.solids import Colour, Solid, capsule, cylinder, ellipsoid

SKIN: Colour = (0.72, 0.52, 0.42)
SHOE: Colour = (0.08, 0.07, 0.07)


@dataclass(frozen=True)
class Limb:
    """Solids around a joint, which swing about the y axis.

    Attributes:
        joint: (x, y, z) in the object's frame; the solids are given relative to it.
        swing_rad: amplitude; offset_rad: phase; rest_rad: middle of the swing.
    """

    solids: tuple[Solid, ...]
    joint: tuple[float, float, float]
    swing_rad: float
    phase_rad: float
    rest_rad: float = 0.0


def pedestrian(rng: np.random.Generator, height_m: float, *, walking: bool) -> tuple[list[Solid], list[Limb]]:
    """An adult or a child of that height; arms and legs swing if walking."""
    k = height_m / 1.75
    coat = _clothes(rng)
    trousers = _clothes(rng)
    trunk = [
        ellipsoid((0, 0, 1.18 * k), (0.13 * k, 0.20 * k, 0.34 * k), Material.CLOTH, coat),
        ellipsoid((0, 0, 0.90 * k), (0.12 * k, 0.17 * k, 0.14 * k), Material.CLOTH, trousers),
        capsule((0, 0, 1.40 * k), (0.01, 0, 1.52 * k), 0.055 * k, Material.SKIN, SKIN),
        ellipsoid((0.02, 0, 1.63 * k), (0.10 * k, 0.08 * k, 0.12 * k), Material.SKIN, SKIN),
        ellipsoid((-0.01, 0, 1.66 * k), (0.105 * k, 0.088 * k, 0.10 * k), Material.CLOTH, _hair(rng)),
    ]
    swing = 0.45 if walking else 0.03
    limbs = []
    for side in (-1.0, 1.0):
        leg = (
            capsule((0, 0, -0.06 * k), (0.03 * k, 0, -0.42 * k), 0.075 * k, Material.CLOTH, trousers),
            capsule((0.03 * k, 0, -0.42 * k), (-0.01, 0, -0.80 * k), 0.055 * k, Material.CLOTH, trousers),
            capsule((-0.03 * k, 0, -0.83 * k), (0.13 * k, 0, -0.84 * k), 0.04 * k, Material.RUBBER, SHOE),
        )
        arm = (
            capsule((0, 0, 0), (-0.03 * k, 0, -0.28 * k), 0.05 * k, Material.CLOTH, coat),
            capsule((-0.03 * k, 0, -0.28 * k), (0.06 * k, 0, -0.54 * k), 0.04 * k, Material.SKIN, SKIN),
        )
        phase = 0.0 if side > 0 else np.pi
        limbs.append(Limb(leg, (0, side * 0.09 * k, 0.885 * k), swing, phase))
        limbs.append(Limb(arm, (0, side * 0.23 * k, 1.40 * k), 0.8 * swing, phase + np.pi))
    return trunk, limbs


def cyclist(rng: np.random.Generator) -> tuple[list[Solid], list[Limb]]:
    """A bicycle and its rider; the legs go up and down."""
    coat, trousers, frame = _clothes(rng), _clothes(rng), _clothes(rng)
    tyre = (0.06, 0.06, 0.06)
    metal = Material.METAL
    solids = [
        cylinder((0.52, -0.02, 0.34), (0.52, 0.02, 0.34), 0.34, Material.RUBBER, tyre),
        cylinder((-0.52, -0.02, 0.34), (-0.52, 0.02, 0.34), 0.34, Material.RUBBER, tyre),
        capsule((-0.52, 0, 0.34), (-0.15, 0, 0.85), 0.025, metal, frame),
        capsule((-0.15, 0, 0.85), (0.42, 0, 0.85), 0.025, metal, frame),
        capsule((-0.05, 0, 0.32), (0.42, 0, 0.82), 0.025, metal, frame),
        capsule((0.52, 0, 0.34), (0.40, 0, 1.02), 0.025, metal, frame),
        capsule((0.38, -0.26, 1.03), (0.38, 0.26, 1.03), 0.018, metal, frame),
        capsule((-0.20, 0, 1.02), (0.10, 0, 1.42), 0.16, Material.CLOTH, coat),
        ellipsoid((0.22, 0, 1.66), (0.11, 0.09, 0.13), Material.SKIN, SKIN),
        ellipsoid((0.20, 0, 1.72), (0.13, 0.10, 0.09), metal, frame),
    ]
    for side in (-1.0, 1.0):
        solids.append(capsule((0.10, side * 0.19, 1.40), (0.36, side * 0.22, 1.07), 0.045, Material.CLOTH, coat))
    limbs = []
    for side in (-1.0, 1.0):
        leg = (
            capsule((0, 0, 0), (0.34, 0, -0.22), 0.075, Material.CLOTH, trousers),
            capsule((0.34, 0, -0.22), (0.20, 0, -0.62), 0.055, Material.CLOTH, trousers),
            capsule((0.17, 0, -0.65), (0.30, 0, -0.65), 0.04, Material.RUBBER, SHOE),
        )
        limbs.append(Limb(leg, (-0.18, side * 0.11, 0.98), 0.28, 0.0 if side > 0 else np.pi, -0.1))
    return solids, limbs


def _clothes(rng: np.random.Generator) -> Colour:
    r, g, b = rng.uniform(0.08, 0.8) * rng.uniform(0.4, 1.0, 3)
    return float(r), float(g), float(b)


def _hair(rng: np.random.Generator) -> Colour:
    k = float(rng.uniform(0.04, 0.35))
    return k, 0.8 * k, 0.6 * k
