"""Placing: bodies on a street with their motions, kept where nothing touches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from densegt.simulate.clearance import circles, clearance
from densegt.simulate.motion import Motion, Path, Speed, standing, travel
from densegt.simulate.movers import catalogue
from densegt.simulate.movers.thing import Body, Thing, make_thing
from densegt.simulate.street.terrain import Terrain

Float64 = NDArray[np.float64]

Placed = tuple[Body, Motion]


@dataclass(frozen=True)
class Scene:
    """What traffic must fit into; what is placed in a `still` one stands where it would have moved."""

    rng: np.random.Generator
    terrain: Terrain
    seconds: float
    reach_m: float
    still: bool = False
    spare: dict[catalogue.Draw, Body] = field(default_factory=dict)
    drawn: dict[catalogue.Draw, Body] = field(default_factory=dict)

    def body(self, draw: catalogue.Draw) -> Body:
        """A body, or the one that was drawn in vain the last time: drawing takes longer than placing."""
        body = self.spare.pop(draw, None) or draw(self.rng)
        self.drawn[draw] = body
        return body

    def person(self) -> Body:
        """Somebody who walks, or in a still scene waits."""
        return self.body(catalogue.bystander if self.still else catalogue.pedestrian)

    def twin(self) -> Scene:
        """The same scene for what stands."""
        return replace(self, still=True)

    def settle(self, *, placed: bool) -> None:
        """Say whether what was drawn since the last time has found a place."""
        if not placed:
            self.spare.update(self.drawn)
        self.drawn.clear()

    def lane(self, d: float, s0: float, s1: float) -> Path:
        """The line at offset d from s0 to s1 (backwards if s1 < s0)."""
        s = np.linspace(s0, s1, max(int(abs(s1 - s0)), 8))
        return Path.through(self.terrain.places(s, np.full_like(s, d)))

    def stand(self, body: Body, s: float, d: float, turn_rad: float) -> Placed:
        """A body that stays at a place."""
        xy = self.terrain.places(np.array([s]), np.array([d]))[0]
        return body, standing(xy, self.terrain.heading_at(s) + turn_rad, self.terrain, wheelbase_m=body.wheelbase_m)

    def go(self, body: Body, path: Path, start_m: float, speeds: tuple[float, float]) -> Placed:
        """A body that follows a path, perhaps braking, stopping, starting or speeding up."""
        return body, self.travel(body, path, start_m, self.speed(speeds))

    def speed(self, speeds: tuple[float, float]) -> Speed:
        """A speed over the scene that begins between two (m/s)."""
        if self.still:
            return Speed(0.0, 0.0, 0.0, 1.0)
        before = float(self.rng.uniform(*speeds))
        after = float(np.clip(before * self.rng.choice([1.0, 1.0, 0.0, 0.35, 1.4]), 0.0, 16.0))
        if self.rng.random() < 0.12:
            before, after = 0.0, float(self.rng.uniform(*speeds))
        return Speed(before, after, float(self.rng.uniform(0, 0.6)) * self.seconds, float(self.rng.uniform(1.5, 3.0)))

    def travel(self, body: Body, path: Path, start_m: float, speed: Speed) -> Motion:
        """A body's way along a path."""
        if self.still:
            ahead = path.curve(start_m, 1)
            turn_rad = float(np.arctan2(ahead[1], ahead[0]))
            return standing(path.curve(start_m), turn_rad, self.terrain, wheelbase_m=body.wheelbase_m)
        return travel(
            path, start_m, speed, self.terrain,
            seconds=self.seconds, wheelbase_m=body.wheelbase_m, stride_m=body.stride_m,
        )  # fmt: skip


Attempt = Callable[[Scene], list[Placed]]


FINENESS = 2
"""Circles that cover a body's box: this many in a square of its width, so that a bus fits beside parked cars."""


class Room:
    """What has been placed, and whether more fits."""

    def __init__(self, times: Float64, taken: Float64, seconds: float) -> None:
        """`taken`: circles (T,N,3) at times (T,) that stay free."""
        self.things: list[Thing] = []
        self._times, self._taken, self._seconds = times, taken, seconds

    def add(self, placed: Sequence[Placed], *, labelled: bool) -> bool:
        """Add bodies that belong together, or none of them."""
        prints, things = [], []
        for body, motion in placed:
            size, T = body.size_lwh_m, motion.T_world_body(self._times)
            print_ = circles(T, float(body.middle[0]), float(size[0]), float(size[1]), fineness=FINENESS)
            if not self._fits(print_):
                return False
            thing = make_thing(body, motion, labelled=labelled, seconds=self._seconds)
            if not labelled and not thing.moving:
                return False
            prints.append(print_)
            things.append(thing)
        self._taken = np.concatenate([self._taken, *prints], axis=1)
        self.things += things
        return bool(things)

    def _fits(self, print_: Float64) -> bool:
        """Whether circles (T,n,3) keep off all others; most that do not are seen at the first and the last moment."""
        ends = [0, len(self._times) - 1]
        return all(clearance(print_[at], self._taken[at]) >= 0.2 for at in (ends, slice(None)))
