"""Street: what traffic must fit into, the ego's drive, and what is parked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from densegt.simulate.clearance import clearance, footprint
from densegt.simulate.motion import Motion, Path, Speed, standing, travel
from densegt.simulate.simple.catalogue import barrier_body, car_body, cone_body, pedestrian_body
from densegt.simulate.simple.furniture import Fixture
from densegt.simulate.simple.ground import Ground
from densegt.simulate.simple.things import Body, Thing, make_thing

Float64 = NDArray[np.float64]


@dataclass(frozen=True)
class Street:
    """What a mover must fit into: the ground, and circles (x, y, radius) of what stands."""

    ground: Ground
    seconds: float
    drive_m: float
    obstacles: Float64


def obstacles(fixtures: list[Fixture]) -> Float64:
    """Circles (N,3) of the fixtures that stand on the ground."""
    return np.array([f.obstacle for f in fixtures if f.obstacle is not None]).reshape(-1, 3)


def ego_motion(rng: np.random.Generator, ground: Ground, seconds: float) -> Motion:
    """The recording car keeps the right lane next to the centreline, weaving a little, and may brake or speed up."""
    x = np.linspace(-20, 12.5 * seconds + 60, 400)
    d = -ground.lane_m / 2 + 0.25 * np.sin(2 * np.pi * x / rng.uniform(60, 110) + rng.uniform(0, 6))
    path = Path.through(np.column_stack([x, ground.centre(x) + d]))
    before = rng.uniform(5, 11)
    after = float(np.clip(before + rng.uniform(-5, 3), 3, 12))
    speed = Speed(before, after, rng.uniform(0.1, 0.5) * seconds, rng.uniform(1.5, 3.0))
    return travel(path, 20.0, speed, ground, seconds=seconds, wheelbase_m=2.7, stride_m=0.0)


def parked(rng: np.random.Generator, street: Street) -> list[Thing]:
    """Cars along both kerbs, cones, barriers and people who wait."""
    ground = street.ground
    things: list[Thing] = []

    def add(body: Body, x: float, d: float, turn_rad: float) -> None:
        motion = standing(ground.place(x, d), ground.heading(x) + turn_rad, ground, wheelbase_m=body.wheelbase_m)
        things.append(make_thing(body, motion, labelled=True, seconds=street.seconds))

    for side in (-1, 1):
        busy = rng.uniform(0.25, 0.7)
        for x in np.arange(-70.0, street.drive_m + 75.0, 6.6):
            if abs(x - ground.cross_x_m) < ground.cross_half_m + 6.0 or rng.random() > busy:
                continue
            body = car_body(rng)
            turn = (0.0 if side < 0 else np.pi) + rng.normal(0, 0.02)
            d = side * (ground.half_width_m - 1.12 + rng.normal(0, 0.05))
            add(body, float(x + rng.uniform(-0.6, 0.6)), d, turn)
    for _ in range(int(rng.integers(3, 7))):
        x, side = float(rng.uniform(-15, street.drive_m + 35)), int(rng.choice([-1, 1]))
        if abs(x - ground.cross_x_m) > ground.cross_half_m + 1:
            add(pedestrian_body(rng, walking=False), x, side * (ground.half_width_m + 1.25), float(rng.uniform(-3, 3)))
    x = float(rng.uniform(5, street.drive_m + 25))
    if abs(x - ground.cross_x_m) > ground.cross_half_m + 6:
        for k in range(3):
            add(cone_body(), x + 1.4 * k, -ground.half_width_m - 0.45, 0.0)
        add(barrier_body(), x + 5.0, -ground.half_width_m - 2.0, float(rng.normal(0, 0.2)))
    return _apart(things)


def _apart(things: list[Thing]) -> list[Thing]:
    """Drop what stands in another."""
    kept: list[Thing] = []
    circles: list[Float64] = []
    zero = np.zeros(1)
    for thing in things:
        mine = footprint(thing.body, thing.motion, zero)[0]
        if all(clearance(mine, other) > 0 for other in circles):
            kept.append(thing)
            circles.append(mine)
    return kept
