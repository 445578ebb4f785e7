"""Catalogue: a body of each category, drawn at random."""

from __future__ import annotations

import numpy as np

from densegt.simulate.simple.bodies import bus, car, truck
from densegt.simulate.simple.materials import Material
from densegt.simulate.simple.people import cyclist, pedestrian
from densegt.simulate.simple.solids import Colour, box, polyhedron
from densegt.simulate.simple.things import Body, make_body

PAINTS: tuple[Colour, ...] = (
    (0.75, 0.75, 0.76), (0.55, 0.56, 0.58), (0.85, 0.85, 0.83), (0.55, 0.06, 0.06),
    (0.07, 0.16, 0.42), (0.12, 0.30, 0.18), (0.70, 0.62, 0.20), (0.30, 0.33, 0.36),
)  # fmt: skip
DARK: Colour = (0.035, 0.035, 0.04)


def car_body(rng: np.random.Generator) -> Body:
    """A car; one in four is dark."""
    dark = bool(rng.random() < 0.25)
    colour = DARK if dark else PAINTS[int(rng.integers(len(PAINTS)))]
    return make_body("vehicle.car", car(rng, colour, dark=dark), wheelbase_m=2.7)


def truck_body(rng: np.random.Generator) -> Body:
    """A truck."""
    return make_body("vehicle.truck", truck(rng, PAINTS[int(rng.integers(len(PAINTS)))]), wheelbase_m=4.5)


def bus_body(rng: np.random.Generator) -> Body:
    """A bus."""
    return make_body("vehicle.bus.rigid", bus(rng, PAINTS[int(rng.integers(3, 7))]), wheelbase_m=5.8)


def cyclist_body(rng: np.random.Generator) -> Body:
    """A bicycle with its rider."""
    solids, limbs = cyclist(rng)
    return make_body("vehicle.bicycle", solids, limbs, wheelbase_m=1.0, stride_m=5.0)


def pedestrian_body(rng: np.random.Generator, *, walking: bool = True) -> Body:
    """An adult, or one time in six a child."""
    child = bool(rng.random() < 1 / 6)
    height = rng.uniform(1.1, 1.4) if child else rng.uniform(1.55, 1.9)
    solids, limbs = pedestrian(rng, height, walking=walking)
    category = "human.pedestrian.child" if child else "human.pedestrian.adult"
    return make_body(category, solids, limbs, wheelbase_m=0.3, stride_m=0.8 * height)


def cone_body() -> Body:
    """A traffic cone."""
    orange: Colour = (0.9, 0.3, 0.05)
    turn = np.linspace(0, 2 * np.pi, 10, endpoint=False)
    low = np.column_stack([0.14 * np.cos(turn), 0.14 * np.sin(turn), np.full(10, 0.04)])
    high = np.column_stack([0.03 * np.cos(turn), 0.03 * np.sin(turn), np.full(10, 0.72)])
    solids = [
        polyhedron(np.concatenate([low, high]), Material.PAINT, orange),
        box((0, 0, 0.02), (0.36, 0.36, 0.04), Material.RUBBER, (0.1, 0.1, 0.1)),
    ]
    return make_body("movable_object.trafficcone", solids)


def barrier_body() -> Body:
    """A red and white barrier on two feet."""
    solids = [
        box((0, 0, 0.85), (0.04, 2.0, 0.22), Material.PAINT, (0.85, 0.1, 0.08)),
        box((0, 0, 0.5), (0.04, 2.0, 0.15), Material.PAINT, (0.9, 0.9, 0.9)),
        *[box((0, y, 0.48), (0.06, 0.05, 0.96), Material.METAL, (0.8, 0.8, 0.8)) for y in (-0.9, 0.9)],
        *[box((0, y, 0.03), (0.5, 0.12, 0.06), Material.RUBBER, (0.1, 0.1, 0.1)) for y in (-0.9, 0.9)],
    ]
    return make_body("movable_object.barrier", solids)
