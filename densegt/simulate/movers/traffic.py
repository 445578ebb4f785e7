"""Traffic: the ego's drive, and everything else with an object id."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from densegt.simulate.clearance import circles
from densegt.simulate.config import SimulateConfig
from densegt.simulate.motion import Motion, Path, Speed, travel
from densegt.simulate.movers.attempts import hidden, plan
from densegt.simulate.movers.kerb import at_the_kerb
from densegt.simulate.movers.placing import Attempt, Room, Scene
from densegt.simulate.movers.thing import Thing
from densegt.simulate.ranges import Ranges
from densegt.simulate.street.terrain import Terrain

Float64 = NDArray[np.float64]

EGO_LWH_M = (4.1, 1.8, 1.6)
"""The recording car; its frame's origin is on the ground under the rear axle."""


def ego_motion(rng: np.random.Generator, terrain: Terrain, speed_mps: float, seconds: float) -> Motion:
    """The recording car keeps the lane next to the middle, weaving a little, and may brake or speed up."""
    section = terrain.section
    s = np.arange(-25.0, terrain.s[-1] - 20, 0.5)
    d = -section.right * section.lane / 2 + 0.2 * np.sin(2 * np.pi * s / rng.uniform(60, 110) + rng.uniform(0, 6))
    path = Path.through(terrain.places(s, d))
    after = float(np.clip(speed_mps + rng.uniform(-5, 3), 2, 13))
    speed = Speed(speed_mps, after, float(rng.uniform(0.1, 0.5)) * seconds, float(rng.uniform(1.5, 3.0)))
    return travel(path, 25.0, speed, terrain, seconds=seconds, wheelbase_m=2.7, stride_m=0.0)


def draw_things(
    rng: np.random.Generator, ranges: Ranges, terrain: Terrain, ego: Motion, obstacles: Float64, config: SimulateConfig
) -> list[Thing]:
    """Everything with an object id; none touches another, the ego or what stands.

    Of all that moves on the lanes and pavements as much stands there, so that a place says nothing of motion.
    """
    times = np.linspace(0, config.seconds, max(int(config.seconds * 8), 8))
    way = float(np.linalg.norm(np.diff(ego.state(np.array([0.0, config.seconds]))[:, :2], axis=0)))
    scene = Scene(rng, terrain, config.seconds, way)
    own = circles(ego.T_world_body(times), 1.4, EGO_LWH_M[0] + 1.5, EGO_LWH_M[1] + 0.3)
    fixed = np.broadcast_to(obstacles, (len(times), *obstacles.shape))
    room = Room(times, np.concatenate([own, fixed], axis=1), config.seconds)
    for placed in at_the_kerb(scene, ranges):
        room.add(placed, labelled=True)
    for attempt in plan(scene, ranges):
        if _try(scene, room, [attempt] * 40, labelled=True):
            _try(scene.twin(), room, [attempt] * 40, labelled=True)
    for k in range(config.unlabelled):
        _try(scene, room, hidden(k), labelled=False)
    return room.things


def _try(scene: Scene, room: Room, attempts: list[Attempt], *, labelled: bool) -> bool:
    """Go through attempts until one fits; whether one did."""
    for attempt in attempts:
        placed = room.add(attempt(scene), labelled=labelled)
        scene.settle(placed=placed)
        if placed:
            return True
    return False
