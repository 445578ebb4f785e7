"""Vehicles made of solids, in a frame with x ahead, y left and z up from the ground under their middle."""

from __future__ import annotations

import numpy as np

from densegt.simulate.simple.materials import Material
from densegt.simulate.simple.solids import Colour, Solid, box, cylinder, ellipsoid, polyhedron

TYRE: Colour = (0.05, 0.05, 0.05)
GLASS: Colour = (0.10, 0.12, 0.14)


def _slab(
    profile: list[tuple[float, float, float]], material: Material, colour: Colour, reflectance: float = 1.0
) -> Solid:
    """Hull of a side profile of (x, z, half width)."""
    points = [(x, side * half, z) for x, z, half in profile for side in (-1.0, 1.0)]
    return polyhedron(points, material, colour, reflectance)


def _wheels(axles: list[float], half_width: float, radius: float) -> list[Solid]:
    return [
        cylinder((x, side * (half_width - 0.22), radius), (x, side * half_width, radius), radius, Material.RUBBER, TYRE)
        for x in axles
        for side in (-1.0, 1.0)
    ]


def _lamps(front: float, back: float, half_width: float, z: float) -> list[Solid]:
    y = half_width - 0.25
    white, red = (0.95, 0.95, 0.85), (0.75, 0.05, 0.05)
    return [
        box((x, s * y, z), (0.06, 0.28, 0.12), Material.METAL, c)
        for x, c in ((front, white), (back, red))
        for s in (-1, 1)
    ]


def car(rng: np.random.Generator, colour: Colour, *, dark: bool) -> list[Solid]:
    """A saloon, an estate or a van-like car; dark paint sends little light back to the lidar."""
    length, width, height = rng.uniform(3.9, 4.9), rng.uniform(1.72, 1.92), rng.uniform(1.42, 1.68)
    half, h = length / 2, width / 2
    paint = Material.DARK_PAINT if dark else Material.PAINT
    sill, belt = 0.22, height * rng.uniform(0.56, 0.62)
    bonnet = belt - rng.uniform(0.02, 0.16)
    windscreen = half - rng.uniform(0.85, 1.25)
    tail = -half + rng.choice([0.08, 0.12, 0.75])
    body = _slab(
        [
            (half, 0.38, h - 0.14),
            (half - 0.04, bonnet - 0.20, h - 0.12),
            (half - 0.35, bonnet, h - 0.05),
            (half - 0.25, sill, h - 0.05),
            (windscreen, belt, h),
            (-half + 0.10, belt, h - 0.05),
            (-half, 0.45, h - 0.10),
            (-half + 0.15, sill, h - 0.06),
        ],
        paint,
        colour,
    )
    cabin = _slab(
        [
            (windscreen, belt - 0.02, h - 0.06),
            (windscreen - 0.75, height - 0.05, h - 0.24),
            (windscreen - 0.95, height, h - 0.28),
            (tail + 0.35, height, h - 0.28),
            (tail + 0.18, height - 0.06, h - 0.24),
            (tail, belt - 0.02, h - 0.06),
        ],
        Material.CAR_GLASS,
        GLASS,
    )
    roof = _slab(
        [
            (windscreen - 0.72, height - 0.06, h - 0.23),
            (windscreen - 0.95, height + 0.02, h - 0.27),
            (tail + 0.35, height + 0.02, h - 0.27),
            (tail + 0.16, height - 0.07, h - 0.23),
        ],
        paint,
        colour,
    )
    mirrors = [
        ellipsoid((windscreen - 0.35, s * (h + 0.06), belt + 0.06), (0.07, 0.10, 0.07), paint, colour) for s in (-1, 1)
    ]
    radius = rng.uniform(0.30, 0.35)
    axles = [half - 0.85, -half + 0.80]
    return [
        body,
        cabin,
        roof,
        *mirrors,
        *_wheels(axles, h + 0.01, radius),
        *_lamps(half - 0.04, -half + 0.02, h - 0.1, 0.62),
    ]


def truck(rng: np.random.Generator, colour: Colour) -> list[Solid]:
    """A cab, a gap with a chassis rail, and a tall cargo box."""
    length, half_width, height = rng.uniform(6.5, 9.0), rng.uniform(1.15, 1.25), rng.uniform(2.9, 3.5)
    half, cab = length / 2, 1.7
    hull = _slab(
        [
            (half, 0.5, half_width - 0.05),
            (half, 1.25, half_width - 0.05),
            (half - 0.35, 2.45, half_width - 0.15),
            (half - cab, 2.5, half_width - 0.12),
            (half - cab, 0.45, half_width),
            (half - 0.05, 0.4, half_width - 0.05),
        ],
        Material.PAINT,
        colour,
    )
    screen = _slab(
        [
            (half + 0.012, 1.3, half_width - 0.16),
            (half - 0.30, 2.36, half_width - 0.24),
            (half - 0.36, 1.3, half_width - 0.16),
        ],
        Material.CAR_GLASS,
        GLASS,
    )
    cargo_colour = (0.85, 0.85, 0.82)
    cargo_length = length - cab - 0.35
    cargo = box(
        (-half + cargo_length / 2, 0, (height + 0.95) / 2),
        (cargo_length, 2 * half_width, height - 0.95),
        Material.PAINT,
        cargo_colour,
    )
    rail = box((-0.2, 0, 0.75), (length - 0.8, 0.9, 0.3), Material.METAL, (0.15, 0.15, 0.15))
    return [hull, screen, cargo, rail, *_wheels([half - 1.1, -half + 2.2, -half + 1.1], half_width, 0.48)]


def bus(rng: np.random.Generator, colour: Colour) -> list[Solid]:
    """A city bus with a band of windows."""
    half, h, height = rng.uniform(5.4, 6.1), 1.26, rng.uniform(2.95, 3.15)

    def ring(low: float, high: float, grow: float, material: Material, tint: Colour) -> Solid:
        return _slab(
            [
                (half + grow, low, h - 0.10 + grow),
                (half - 0.12 + grow, high, h - 0.14 + grow),
                (half - 0.35, low, h + grow),
                (half - 0.35, high, h - 0.04 + grow),
                (-half - grow, low, h + grow),
                (-half - grow, high, h - 0.04 + grow),
            ],
            material,
            tint,
        )

    lower = ring(0.32, 1.15, 0.0, Material.PAINT, colour)
    windows = ring(1.15, 2.3, -0.02, Material.CAR_GLASS, GLASS)
    upper = ring(2.3, height, -0.04, Material.PAINT, colour)
    pillars = [
        box((x, s * (h - 0.035), 1.72), (0.14, 0.07, 1.2), Material.PAINT, colour)
        for x in np.arange(-half + 0.4, half - 0.4, 1.5)
        for s in (-1, 1)
    ]
    return [lower, windows, upper, *pillars, *_wheels([half - 2.6, -half + 3.0], h, 0.48)]
