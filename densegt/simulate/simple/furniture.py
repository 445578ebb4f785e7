"""What stands along a street and never moves: buildings, fences, trees, poles and signs, as static parts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from densegt.geometry.se3 import from_yaw
from densegt.simulate.simple.ground import Ground
from densegt.simulate.simple.materials import Material
from densegt.simulate.simple.solids import Colour, Solid, box, building, capsule, cylinder, ellipsoid

Float64 = NDArray[np.float64]


@dataclass(frozen=True)
class Fixture:
    """A rigid static part: its pose and solids. `obstacle` is (x, y, radius) to walk around, or None."""

    T_world_part: Float64
    solids: tuple[Solid, ...]
    obstacle: tuple[float, float, float] | None = None


def house(
    rng: np.random.Generator, ground: Ground, x: float, side: int, *, length_m: float, set_back_m: float
) -> Fixture:
    """A building whose front is parallel to the street at x, on side +1 (left) or -1."""
    depth, storey = rng.uniform(9, 14), rng.uniform(2.9, 3.6)
    floors = int(rng.integers(2, 6))
    tint = rng.uniform(0.35, 0.75) * np.array([1.0, rng.uniform(0.75, 1.0), rng.uniform(0.6, 0.95)])
    d = side * (ground.half_width_m + set_back_m + depth / 2)
    yaw = ground.heading(x)
    xy = ground.place(x, d / np.cos(yaw))
    feet = from_yaw(yaw, [*xy, 0.0])[:2, :2] @ (
        np.array([[1, 1, -1, -1], [1, -1, 1, -1]]) * [[length_m / 2], [depth / 2]]
    )
    low = ground.heights(feet.T + xy).min() - 0.1
    solid = building(
        (length_m, depth, floors * storey + 0.6),
        pitch_m=rng.uniform(2.0, 3.2),
        storey_m=storey,
        window=(rng.uniform(0.9, 1.5), rng.uniform(1.2, 1.8), rng.uniform(0.08, 0.35), rng.uniform(0.8, 1.0)),
        colour=_rgb(tint),
    )
    return Fixture(from_yaw(yaw, [*xy, low]), (solid,))


def fence(ground: Ground, x: float, d: float, *, colour: Colour, metal: bool) -> Fixture:
    """2.4 m of railing (thin bars) or of planks with gaps, along the street."""
    material = Material.METAL if metal else Material.BARK
    height, bar, gap = (1.0, 0.022, 0.15) if metal else (1.5, 0.11, 0.16)
    solids = [box((0, 0, z * height), (2.4, 0.04, 0.05), material, colour) for z in (0.12, 0.95)]
    solids += [
        box((u, 0.035, 0.52 * height), (bar, 0.02, height), material, colour)
        for u in np.arange(-1.2 + gap / 2, 1.2, gap)
    ]
    solids.append(box((-1.2, 0, 0.5 * height), (0.08, 0.08, 1.1 * height), material, colour))
    xy = ground.place(x, d)
    return Fixture(from_yaw(ground.heading(x), [*xy, ground.height(xy)]), tuple(solids), (*_xy(xy), 1.2))


def tree(rng: np.random.Generator, ground: Ground, xy: Float64) -> list[Fixture]:
    """A trunk with a few boughs, and a crown of small blobs with gaps between them."""
    height, spread = rng.uniform(5.0, 8.5), rng.uniform(1.2, 2.3)
    radius = rng.uniform(0.10, 0.20)
    bark: Colour = (0.30, 0.23, 0.17)
    z0 = ground.height(xy)
    fork = np.array([0.0, 0.0, 0.42 * height])
    wood = [capsule((0, 0, -0.3), fork, radius, Material.BARK, bark)]
    fixtures = []
    for _ in range(int(rng.integers(4, 7))):
        way = rng.uniform(0, 2 * np.pi)
        reach = rng.uniform(0.45, 0.85) * spread
        end = np.array([reach * np.cos(way), reach * np.sin(way), rng.uniform(0.55, 0.92) * height])
        wood.append(capsule(fork, end, 0.35 * radius, Material.BARK, bark))
        fixtures.append(_bough(rng, end, spread, from_yaw(0.0, [*xy, z0])))
    trunk = Fixture(from_yaw(0.0, [*xy, z0]), tuple(wood), (*_xy(xy), radius + 0.1))
    return [trunk, *fixtures]


def _bough(rng: np.random.Generator, end: Float64, spread: float, T_world_tree: Float64) -> Fixture:
    """Blobs about a bough's end."""
    green = np.array([0.16, 0.32, 0.08]) * rng.uniform(0.7, 1.4)
    blobs = []
    for _ in range(40):
        middle = end + rng.normal(0, 0.27 * spread, 3) * [1, 1, 0.75]
        middle[2] = max(middle[2], 2.6)  # traffic passes under it
        blobs.append(
            ellipsoid(middle, rng.uniform(0.08, 0.24, 3), Material.FOLIAGE, _rgb(green * rng.uniform(0.7, 1.3)))
        )
    return Fixture(T_world_tree, tuple(blobs))


def bush(rng: np.random.Generator, ground: Ground, xy: Float64) -> Fixture:
    """A low heap of blobs."""
    green = np.array([0.18, 0.30, 0.10]) * rng.uniform(0.7, 1.3)
    blobs = [
        ellipsoid(
            rng.normal(0, 0.35, 3) * [1, 1, 0.5] + [0, 0, 0.45],
            rng.uniform(0.12, 0.3, 3),
            Material.FOLIAGE,
            _rgb(green * rng.uniform(0.7, 1.3)),
        )
        for _ in range(22)
    ]
    return Fixture(from_yaw(0.0, [*xy, ground.height(xy)]), tuple(blobs), (*_xy(xy), 0.9))


def lamp_post(ground: Ground, x: float, side: int) -> Fixture:
    """A tall pole with an arm over the road."""
    grey: Colour = (0.42, 0.43, 0.44)
    xy = ground.place(x, side * (ground.half_width_m + 0.55))
    solids = (
        cylinder((0, 0, -0.2), (0, 0, 7.0), 0.07, Material.METAL, grey),
        capsule((0, 0, 6.9), (0, -side * 1.6, 7.3), 0.05, Material.METAL, grey),
        box((0, -side * 1.8, 7.3), (0.22, 0.6, 0.12), Material.METAL, grey),
    )
    return Fixture(from_yaw(ground.heading(x), [*xy, ground.height(xy)]), solids, (*_xy(xy), 0.15))


def road_sign(rng: np.random.Generator, ground: Ground, x: float, side: int) -> Fixture:
    """A thin pole with a plate that faces the traffic of its side."""
    xy = ground.place(x, side * (ground.half_width_m + 0.6))
    colours: list[Colour] = [(0.8, 0.05, 0.05), (0.05, 0.15, 0.7), (0.9, 0.75, 0.05), (0.9, 0.9, 0.9)]
    tint = colours[int(rng.integers(len(colours)))]
    z = rng.uniform(2.1, 2.6)
    plate = (
        cylinder((0, 0, z), (side * 0.03, 0, z), 0.33, Material.SIGN, tint)
        if rng.random() < 0.5
        else box((0, 0, z), (0.03, 0.6, 0.6), Material.SIGN, tint)
    )
    pole = cylinder((side * 0.05, 0, -0.2), (side * 0.05, 0, z + 0.25), 0.035, Material.METAL, (0.5, 0.5, 0.5))
    return Fixture(from_yaw(ground.heading(x), [*xy, ground.height(xy)]), (pole, plate), (*_xy(xy), 0.12))


def _xy(xy: Float64) -> tuple[float, float]:
    return float(xy[0]), float(xy[1])


def _rgb(values: Float64) -> Colour:
    r, g, b = np.clip(values, 0, 1)
    return float(r), float(g), float(b)
