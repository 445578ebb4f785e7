"""What moves and what stands: of the same kinds, in the same places; doors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
from numpy.typing import NDArray

from densegt.simulate.config import SimulateConfig
from densegt.simulate.meshes.mesh import bounds
from densegt.simulate.movers import vehicles
from densegt.simulate.movers.catalogue import PROFILES, car
from densegt.simulate.movers.shell import Profile
from densegt.simulate.movers.thing import Thing
from densegt.simulate.movers.traffic import draw_things, ego_motion
from densegt.simulate.ranges import Ranges, read_ranges
from densegt.simulate.street.terrain import Terrain, make_terrain

MOTOR = ("vehicle.car", "vehicle.bus.rigid", "vehicle.bus.bendy", "vehicle.truck")


def _things(ranges: Ranges, seed: int) -> tuple[Terrain, list[Thing]]:
    rng = np.random.default_rng(seed)
    terrain = make_terrain(rng, ranges, 40.0)
    ego = ego_motion(rng, terrain, 6.0, 4.0)
    return terrain, draw_things(rng, ranges, terrain, ego, np.zeros((0, 3)), SimulateConfig(seconds=4.0, seed=seed))


def test_as_much_stands_as_moves_in_the_same_places() -> None:
    """Of vehicles on the lanes, and of people."""
    moves, stands = Counter[str](), Counter[str]()
    for seed in range(4):
        terrain, things = _things(read_ranges("city-small"), seed)
        for thing in things:
            d = abs(terrain.along(thing.motion.state(np.array([2.0]))[:, :2])[0, 1])
            person = thing.category.startswith("human")
            on_lane = d < terrain.section.half_width - 2.3 and thing.category in MOTOR
            if thing.labelled and (person or on_lane):
                (moves if thing.moving else stands)["people" if person else "lane"] += 1
    assert moves["people"] > 10
    assert moves["lane"] > 4
    for place in ("people", "lane"):
        assert 0.5 < stands[place] / moves[place] < 2.0


@pytest.mark.parametrize("share", [0, 1])
def test_vehicles_roll_along_the_kerb_or_are_parked_there(share: int) -> None:
    ranges = read_ranges("city-small")
    ranges = Ranges("", {**ranges.intervals, "rolling_kerb": (share, share), "vehicles": (0, 0)}, ranges.choices)
    terrain, things = _things(ranges, 5)
    at_kerb = [
        thing.moving
        for thing in things
        if thing.category in MOTOR and thing.labelled
        if abs(terrain.along(thing.motion.state(np.zeros(1))[:, :2])[0, 1]) > terrain.section.half_width - 2.3
    ]
    assert len(at_kerb) > 2
    assert np.mean(at_kerb) == pytest.approx(share, abs=0.35)


@pytest.mark.parametrize("profile", sorted(set(PROFILES), key=lambda f: f.__name__))
def test_a_door_ajar_stands_out_at_one_side(profile: Callable[[np.random.Generator], Profile]) -> None:
    draw = partial(np.random.default_rng, 3)
    shape = profile(draw())
    closed, ajar = (bounds(vehicles.car(draw(), shape, ajar=is_ajar)) for is_ajar in (False, True))
    wider: NDArray[np.float64] = np.abs(np.array([c[1] for c in closed]) - np.array([a[1] for a in ajar]))
    assert wider.max() > 0.08
    assert wider.min() < 0.03


def test_a_car_with_a_door_ajar_is_one_body_with_a_tight_box(rng: np.random.Generator) -> None:
    body = car(rng, ajar=True)
    low, high = bounds(body.pose(0.0))
    np.testing.assert_allclose([body.low, body.high], [low, high])
