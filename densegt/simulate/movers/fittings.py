"""Fittings: mirrors, lights, plates, seats and drivers."""

from __future__ import annotations

import numpy as np

from densegt.simulate.meshes.material import Material
from densegt.simulate.meshes.mesh import Colour, Mesh, join
from densegt.simulate.meshes.primitives import box, ellipsoid, tube
from densegt.simulate.movers.shell import Profile

RED: Colour = (0.45, 0.02, 0.02)
WHITE: Colour = (0.75, 0.75, 0.72)
DARK: Colour = (0.03, 0.03, 0.032)


def fittings(rng: np.random.Generator, p: Profile, paint: Colour) -> Mesh:
    """What a car carries outside and inside."""
    return join([_mirrors(p, paint), _lights(p), _plates(p), _grille(p), cabin(rng, p)])


def _mirrors(p: Profile, paint: Colour) -> Mesh:
    x = p.bonnet - 0.35 * (p.bonnet - p.screen) - 0.15
    size = (0.10, 0.20, 0.13 if p.roof < 2.2 else 0.35)
    return join([box((x, s * (p.half_width + 0.10), p.belt + 0.10), size, Material.PAINT, paint) for s in (-1, 1)])


def _lights(p: Profile) -> Mesh:
    parts = []
    tall = 0.14 if p.roof < 2.2 else 0.22
    for s in (-1, 1):
        back = (0.012, s * (p.half_width * 0.70), min(p.deck, p.belt) - 0.20)
        parts.append(box(back, (0.05, 0.30, tall), Material.LAMP, RED))
        front = (p.length - 0.02, s * (p.half_width * 0.62), p.nose - 0.22)
        parts.append(box(front, (0.05, 0.34, 0.13), Material.LAMP, WHITE))
    return join(parts)


def _plates(p: Profile) -> Mesh:
    rear = box((-0.008, 0, min(p.deck, p.belt) - 0.33), (0.02, 0.50, 0.11), Material.RETRO, (0.75, 0.75, 0.7))
    front = box((p.length + 0.008, 0, p.floor + 0.22), (0.02, 0.50, 0.11), Material.RETRO, (0.75, 0.75, 0.7))
    return join([rear, front])


def _grille(p: Profile) -> Mesh:
    front = box((p.length + 0.001, 0, p.nose - 0.33), (0.02, p.half_width * 0.9, 0.14), Material.PLASTIC, DARK)
    bumper = box((p.length - 0.02, 0, p.floor + 0.20), (0.10, p.half_width * 1.5, 0.20), Material.PLASTIC, DARK)
    rear = box((0.03, 0, p.floor + 0.18), (0.10, p.half_width * 1.5, 0.18), Material.PLASTIC, DARK)
    return join([front, bumper, rear])


def cabin(rng: np.random.Generator, p: Profile) -> Mesh:
    """Floor, dashboard, seats and perhaps people behind the windows."""
    seat: Colour = (0.05, 0.05, 0.055) if rng.random() < 0.7 else (0.28, 0.23, 0.17)
    x0, x1 = p.tail + 0.15, p.bonnet - 0.1
    parts = [box(((x0 + x1) / 2, 0, p.floor + 0.22), (x1 - x0, 1.7 * p.half_width, 0.06), Material.INTERIOR, seat)]
    parts.append(box((p.bonnet - 0.25, 0, p.belt - 0.12), (0.4, 1.7 * p.half_width, 0.22), Material.INTERIOR, DARK))
    driver = rng.random() < 0.5
    for row, x in enumerate(np.arange(p.screen - 0.35, x0 + 0.2, -0.95)):
        for s in (-1, 1):
            y = s * 0.42 * p.half_width
            parts.append(box((x, y, p.floor + 0.38), (0.5, 0.48, 0.2), Material.INTERIOR, seat))
            parts.append(box((x - 0.27, y, p.floor + 0.72), (0.14, 0.48, 0.62), Material.INTERIOR, seat))
            parts.append(
                box((x - 0.29, y, min(p.floor + 1.12, p.roof - 0.18)), (0.1, 0.24, 0.16), Material.INTERIOR, seat)
            )
            if (row == 0 and s == 1 and driver) or rng.random() < 0.12:
                parts.append(_sitter(rng, x, y, p.floor + 0.45))
    return join(parts)


def _sitter(rng: np.random.Generator, x: float, y: float, seat: float) -> Mesh:
    cloth: Colour = (float(rng.uniform(0.05, 0.5)), float(rng.uniform(0.05, 0.4)), float(rng.uniform(0.05, 0.4)))
    trunk = tube(
        [(x - 0.1, y, seat), (x - 0.12, y, seat + 0.3), (x - 0.1, y, seat + 0.52)],
        [0.15, 0.17, 0.08],
        Material.CLOTH,
        cloth,
    )
    head = ellipsoid((x - 0.05, y, seat + 0.66), (0.1, 0.08, 0.13), Material.SKIN, (0.45, 0.3, 0.22))
    arm = tube(
        [(x - 0.1, y + 0.2, seat + 0.42), (x + 0.35, y + 0.15, seat + 0.3)], 0.05, Material.CLOTH, cloth, sides=6
    )
    return join([trunk, head, arm])
