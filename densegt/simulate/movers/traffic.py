"""Traffic: the ego's drive, what is parked, and attempts at movers, kept where nothing touches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from densegt.simulate.clearance import circles, clearance
from densegt.simulate.config import SimulateConfig
from densegt.simulate.motion import Motion, Path, Speed, standing, travel
from densegt.simulate.movers import catalogue
from densegt.simulate.movers.thing import Body, Thing, make_thing
from densegt.simulate.ranges import Ranges
from densegt.simulate.street.terrain import Terrain

Float64 = NDArray[np.float64]

EGO_LWH_M = (4.1, 1.8, 1.6)
"""The recording car; its frame's origin is on the ground under the rear axle."""

Placed = tuple[Body, Motion]


@dataclass(frozen=True)
class Scene:
    """What traffic must fit into."""

    rng: np.random.Generator
    terrain: Terrain
    seconds: float
    reach_m: float
    spare: dict[catalogue.Draw, Body] = field(default_factory=dict)
    drawn: dict[catalogue.Draw, Body] = field(default_factory=dict)

    def body(self, draw: catalogue.Draw) -> Body:
        """A body, or the one that was drawn in vain the last time: drawing takes longer than placing."""
        body = self.spare.pop(draw, None) or draw(self.rng)
        self.drawn[draw] = body
        return body

    def settle(self, *, placed: bool) -> None:
        """Say whether what was drawn since the last time has found a place."""
        if not placed:
            self.spare.update(self.drawn)
        self.drawn.clear()

    def lane(self, d: float, s0: float, s1: float) -> Path:
        """The line at offset d from s0 to s1 (backwards if s1 < s0)."""
        s = np.linspace(s0, s1, max(int(abs(s1 - s0) / 0.5), 8))
        return Path.through(self.terrain.places(s, np.full_like(s, d)))

    def stand(self, body: Body, s: float, d: float, turn_rad: float) -> Placed:
        """A body that stays at a place."""
        xy = self.terrain.places(np.array([s]), np.array([d]))[0]
        return body, standing(xy, self.terrain.heading_at(s) + turn_rad, self.terrain, wheelbase_m=body.wheelbase_m)

    def go(self, body: Body, path: Path, start_m: float, speeds: tuple[float, float]) -> Placed:
        """A body that follows a path, perhaps braking, stopping, starting or speeding up."""
        before = float(self.rng.uniform(*speeds))
        after = float(np.clip(before * self.rng.choice([1.0, 1.0, 0.0, 0.35, 1.4]), 0.0, 16.0))
        if self.rng.random() < 0.12:
            before, after = 0.0, float(self.rng.uniform(*speeds))
        speed = Speed(before, after, float(self.rng.uniform(0, 0.6)) * self.seconds, float(self.rng.uniform(1.5, 3.0)))
        motion = travel(
            path, start_m, speed, self.terrain,
            seconds=self.seconds, wheelbase_m=body.wheelbase_m, stride_m=body.stride_m,
        )  # fmt: skip
        return body, motion


Attempt = Callable[[Scene], list[Placed]]


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
    """Everything with an object id: standing things first; none touches another, the ego or what stands."""
    times = np.linspace(0, config.seconds, max(int(config.seconds * 8), 8))
    way = float(np.linalg.norm(np.diff(ego.state(np.array([0.0, config.seconds]))[:, :2], axis=0)))
    scene = Scene(rng, terrain, config.seconds, way)
    taken = [circles(ego.T_world_body(times), 1.4, EGO_LWH_M[0] + 1.5, EGO_LWH_M[1] + 0.3)]
    room = _Room(times, taken, np.broadcast_to(obstacles, (len(times), *obstacles.shape)), config.seconds)
    for placed in _standing(scene, ranges):
        room.add([placed], labelled=True)
    for attempt in _plan(scene, ranges):
        _try(scene, room, [attempt] * 40, labelled=True)
    hidden: list[Attempt] = [_oncoming(catalogue.car), _crossing, _cross_street, _beside]
    for k in range(config.unlabelled):
        _try(scene, room, [hidden[k % len(hidden)]] * 60 + [_walking] * 200, labelled=False)
    return room.things


def _try(scene: Scene, room: _Room, attempts: list[Attempt], *, labelled: bool) -> None:
    """Go through attempts until one fits."""
    for attempt in attempts:
        placed = room.add(attempt(scene), labelled=labelled)
        scene.settle(placed=placed)
        if placed:
            return


class _Room:
    """What has been placed, and whether more fits."""

    def __init__(self, times: Float64, taken: list[Float64], fixed: Float64, seconds: float) -> None:
        self.things: list[Thing] = []
        self._times, self._taken, self._fixed, self._seconds = times, taken, fixed, seconds

    def add(self, placed: Sequence[Placed], *, labelled: bool) -> bool:
        """Add bodies that belong together, or none of them."""
        prints, things = [], []
        for body, motion in placed:
            print_ = circles(motion.T_world_body(self._times), float(body.middle[0]), *map(float, body.size_lwh_m[:2]))
            if any(clearance(print_, other) < 0.2 for other in [*reversed(self._taken), self._fixed] if other.size):
                return False
            thing = make_thing(body, motion, labelled=labelled, seconds=self._seconds)
            if not labelled and not thing.moving:
                return False
            prints.append(print_)
            things.append(thing)
        self._taken += prints
        self.things += things
        return bool(things)


def _standing(scene: Scene, ranges: Ranges) -> list[Placed]:
    """Cars and more along both kerbs, people who wait or sit, cones and barriers, parked two-wheelers."""
    rng, terrain, section = scene.rng, scene.terrain, scene.terrain.section
    out: list[Placed] = []
    for side in (-1, 1):
        share, s = ranges.draw(rng, "parked_share"), -75.0
        while s < scene.reach_m + 85.0:
            near_cross = abs(s - terrain.cross_s) < terrain.cross_half + 7.0
            if near_cross or rng.random() > share:
                s += 6.3
                continue
            body = _parked_body(rng)
            length = float(body.size_lwh_m[0])
            along = side == -section.right
            turn = (0.0 if along else np.pi) + rng.normal(0, 0.02)
            d = side * (section.half_width - float(body.size_lwh_m[1]) / 2 - rng.uniform(0.1, 0.3))
            out.append(scene.stand(body, s + length / 2, d, turn))
            s += length + rng.uniform(0.6, 1.6)
    for _ in range(int(rng.integers(3, 9))):
        s, side = float(rng.uniform(-15, scene.reach_m + 45)), int(rng.choice([-1, 1]))
        pose = "stand" if rng.random() < 0.8 else "sit"
        d = side * (section.half_width + rng.uniform(0.8, section.walk - 0.4))
        out.append(scene.stand(catalogue.pedestrian(rng, pose=pose), s, d, float(rng.uniform(-3, 3))))
    for _ in range(int(rng.integers(2, 7))):
        s, side = float(rng.uniform(-15, scene.reach_m + 45)), int(rng.choice([-1, 1]))
        draw = catalogue.bicycle if rng.random() < 0.65 else catalogue.motorcycle
        out.append(scene.stand(draw(rng, rider=False), s, side * (section.half_width + 0.7), float(rng.normal(0, 0.3))))
    if rng.random() < 0.6:
        s, side = float(rng.uniform(5, scene.reach_m + 35)), int(rng.choice([-1, 1]))
        for k in range(int(rng.integers(3, 9))):
            body = catalogue.cone(rng) if rng.random() < 0.5 else catalogue.barrier(rng)
            out.append(
                scene.stand(body, s + 2.1 * k, side * (section.half_width - 2.5), float(rng.normal(np.pi / 2, 0.1)))
            )
    return out


def _parked_body(rng: np.random.Generator) -> Body:
    draws = [
        catalogue.car,
        catalogue.truck,
        catalogue.bus,
        catalogue.tractor,
        catalogue.semi_trailer,
        catalogue.small_trailer,
    ]
    weights = np.array([0.84, 0.06, 0.03, 0.015, 0.02, 0.035])
    return draws[int(rng.choice(len(draws), p=weights))](rng)


def _plan(scene: Scene, ranges: Ranges) -> list[Attempt]:
    """What is tried, in this order."""
    rng = scene.rng
    big = [catalogue.truck, catalogue.bus, catalogue.tram]
    pool: list[Attempt] = [
        _ahead(catalogue.car), _oncoming(catalogue.car), _oncoming(catalogue.car), _behind(catalogue.car),
        _cross_street,
        _turning, _oncoming(big[int(rng.integers(3))]), _ahead(big[int(rng.integers(2))]), _beside,
        _oncoming(catalogue.motorcycle),
        _articulated, _towing, _reversing, _overtaking, _oncoming(catalogue.car), _cross_street,
    ]  # fmt: skip
    vehicles = ranges.count(rng, "vehicles")
    plan = pool[:6] + [pool[int(i)] for i in rng.integers(6, len(pool), max(vehicles - 6, 0))]
    plan += [_walking] * ranges.count(rng, "walkers") + [_crossing] * 3 + [_special] * int(rng.integers(1, 4))
    return plan + [_crowd] * ranges.count(rng, "crowd")


def _ends(scene: Scene, forward: bool) -> tuple[float, float]:
    low, high = float(scene.terrain.s[0]) + 12, float(scene.terrain.s[-1]) - 12
    return (low, high) if forward else (high, low)


def _along(scene: Scene, body: Body, d: float, s: float, *, forward: bool, speeds: tuple[float, float]) -> Placed:
    ends = _ends(scene, forward)
    path = scene.lane(d, *ends)
    share = abs(s - ends[0]) / abs(ends[1] - ends[0])
    return scene.go(body, path, share * path.length_m, speeds)


def _lane_d(scene: Scene, *, forward: bool) -> float:
    section = scene.terrain.section
    which = int(scene.rng.integers(section.lanes))
    side = -section.right if forward else section.right
    return float(side * section.lane * (which + 0.5) + scene.rng.normal(0, 0.12))


def _ahead(draw: catalogue.Draw) -> Attempt:
    return lambda q: [
        _along(q, q.body(draw), _lane_d(q, forward=True), q.rng.uniform(13, 50), forward=True, speeds=(4, 11))
    ]


def _behind(draw: catalogue.Draw) -> Attempt:
    return lambda q: [
        _along(q, q.body(draw), _lane_d(q, forward=True), q.rng.uniform(-30, -10), forward=True, speeds=(4, 11))
    ]


def _oncoming(draw: catalogue.Draw) -> Attempt:
    return lambda q: [
        _along(q, q.body(draw), _lane_d(q, forward=False), q.rng.uniform(8, 90), forward=False, speeds=(4, 13))
    ]


def _beside(scene: Scene) -> list[Placed]:
    """A cyclist or a scooter near the parked cars, either way."""
    section, side = scene.terrain.section, int(scene.rng.choice([-1, 1]))
    body = scene.body(catalogue.bicycle) if scene.rng.random() < 0.75 else scene.body(catalogue.scooter)
    d, forward = side * (section.half_width - 2.75), side == -section.right
    return [_along(scene, body, d, scene.rng.uniform(2, scene.reach_m + 25), forward=forward, speeds=(3, 6.5))]


def _reversing(scene: Scene) -> list[Placed]:
    """A car that backs along the parked cars."""
    section, side = scene.terrain.section, int(scene.rng.choice([-1, 1]))
    s, forward = float(scene.rng.uniform(10, scene.reach_m + 30)), side == -section.right
    body, motion = _along(
        scene, scene.body(catalogue.car), side * (section.half_width - 1.2), s, forward=forward, speeds=(0.8, 1.8)
    )
    turned = motion.turned(np.pi)
    return [(body, turned)]


def _overtaking(scene: Scene) -> list[Placed]:
    """A car that changes lanes, on a wide road."""
    section = scene.terrain.section
    if section.lanes < 2:
        return _ahead(catalogue.car)(scene)
    ends = _ends(scene, True)
    s = np.arange(ends[0], ends[1], 0.5)
    u = np.clip((s - scene.rng.uniform(15, 60)) / 30.0, 0, 1)
    d = -section.right * section.lane * (1.5 - u * u * (3 - 2 * u))
    path = Path.through(scene.terrain.places(s, d))
    start = (scene.rng.uniform(5, 40) - ends[0]) / (ends[1] - ends[0]) * path.length_m
    return [scene.go(scene.body(catalogue.car), path, start, (7, 13))]


def _train(scene: Scene, first: Body, second: Body, *, gap_m: float) -> list[Placed]:
    """Two bodies, one behind the other at a fixed way along the same path."""
    forward = bool(scene.rng.random() < 0.5)
    section = scene.terrain.section
    d = (-1 if forward else 1) * section.right * section.lane * (section.lanes - 0.5)
    ends = _ends(scene, forward)
    path = scene.lane(d, *ends)
    start = float(scene.rng.uniform(0.35, 0.65)) * path.length_m
    speed = float(scene.rng.uniform(3, 9))
    out = []
    for body, back in ((first, 0.0), (second, gap_m)):
        motion = travel(
            path, start - back, Speed(speed, speed, 0.0, 1.0), scene.terrain,
            seconds=scene.seconds, wheelbase_m=body.wheelbase_m, stride_m=0.0,
        )  # fmt: skip
        out.append((body, motion))
    return out


def _articulated(scene: Scene) -> list[Placed]:
    """A truck with its semi-trailer."""
    front, rear = scene.body(catalogue.tractor), scene.body(catalogue.semi_trailer)
    return _train(scene, front, rear, gap_m=float(rear.size_lwh_m[0] / 2 + front.size_lwh_m[0] / 2 - 2.2))


def _towing(scene: Scene) -> list[Placed]:
    """A car with a trailer."""
    front, rear = scene.body(catalogue.car), scene.body(catalogue.small_trailer)
    return _train(scene, front, rear, gap_m=float(rear.size_lwh_m[0] / 2 + front.size_lwh_m[0] / 2 + 0.1))


def _walking(scene: Scene) -> list[Placed]:
    """Somebody along a pavement."""
    section, side = scene.terrain.section, int(scene.rng.choice([-1, 1]))
    d = side * (section.half_width + scene.rng.uniform(0.9, section.walk - 0.3))
    s = float(scene.rng.uniform(-12, scene.reach_m + 35))
    return [
        _along(scene, scene.body(catalogue.pedestrian), d, s, forward=bool(scene.rng.random() < 0.5), speeds=(0.7, 1.9))
    ]


def _special(scene: Scene) -> list[Placed]:
    """A dog, a wheelchair, a scooter, or a pram with who pushes it."""
    section, side = scene.terrain.section, int(scene.rng.choice([-1, 1]))
    d = side * (section.half_width + scene.rng.uniform(1.0, section.walk - 0.4))
    s, forward = float(scene.rng.uniform(-5, scene.reach_m + 25)), bool(scene.rng.random() < 0.5)
    draw = [catalogue.dog, catalogue.wheelchair, catalogue.scooter, catalogue.pram][int(scene.rng.integers(4))]
    return [_along(scene, scene.body(draw), d, s, forward=forward, speeds=(0.7, 1.6))]


def _straight(
    scene: Scene, start: Float64, stop: Float64, body: Body, along_m: float, speeds: tuple[float, float]
) -> list[Placed]:
    path = Path.through(start + np.linspace(0, 1, 60)[:, None] * (stop - start))
    return [scene.go(body, path, along_m, speeds)]


def _crossing(scene: Scene) -> list[Placed]:
    """Somebody over the road, anywhere ahead."""
    side, s = int(scene.rng.choice([-1, 1])), scene.rng.uniform(10, scene.reach_m + 35)
    return _over(scene, float(s), side)


def _over(scene: Scene, s: float, side: int) -> list[Placed]:
    reach = scene.terrain.section.half_width + 2.5
    ends = scene.terrain.places(np.array([s, s + scene.rng.uniform(-1, 1)]), np.array([side * reach, -side * reach]))
    body = scene.body(catalogue.pedestrian)
    return _straight(scene, ends[0], ends[1], body, float(scene.rng.uniform(0, 2 * reach)), (0.8, 1.9))


def _crowd(scene: Scene) -> list[Placed]:
    """One of many on the zebra before the cross-street."""
    s = scene.terrain.cross_s - scene.terrain.cross_half - 3.5 + scene.rng.uniform(-1.7, 1.7)
    return _over(scene, float(s), int(scene.rng.choice([-1, 1])))


def _cross_street(scene: Scene) -> list[Placed]:
    """A vehicle over the cross-street."""
    terrain, way = scene.terrain, int(scene.rng.choice([-1, 1]))
    s = terrain.cross_s + way * terrain.section.right * terrain.cross_half / 2
    d = np.linspace(-way * 50, way * 50, 160)
    path = Path.through(terrain.places(np.full_like(d, s), d))
    draw = catalogue.car if scene.rng.random() < 0.8 else catalogue.motorcycle
    return [scene.go(scene.body(draw), path, float(scene.rng.uniform(5, 70)), (3, 9))]


def _turning(scene: Scene) -> list[Placed]:
    """A car that turns out of its lane into the cross-street."""
    terrain, section = scene.terrain, scene.terrain.section
    side, radius = -section.right, 6.0
    d0 = side * section.lane * (section.lanes - 0.5)
    s1 = terrain.cross_s - terrain.cross_half / 2
    s = np.arange(terrain.s[0] + 12, s1 - radius, 0.5)
    turn = np.linspace(0, np.pi / 2, 24)
    arc = np.column_stack([s1 - radius + radius * np.sin(turn), d0 + side * radius * (1 - np.cos(turn))])
    away = np.arange(1, 80) * 0.5
    last = np.column_stack([np.full_like(away, s1), d0 + side * (radius + away)])
    place = np.concatenate([np.column_stack([s, np.full_like(s, d0)]), arc, last])
    path = Path.through(_smoothed(terrain.places(place[:, 0], place[:, 1])))
    start = max(path.length_m - 40.0 - scene.rng.uniform(8, 40), 5.0)
    return [scene.go(scene.body(catalogue.car), path, float(start), (3.5, 6.5))]


def _smoothed(xy: Float64) -> Float64:
    """Points every 0.5 m of a path, averaged over 4 m so that its curvature has no jump."""
    s = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(xy, axis=0), axis=1))])
    dense = np.arange(0, s[-1], 0.5)
    even = np.column_stack([np.interp(dense, s, xy[:, k]) for k in range(2)])
    padded = np.concatenate([np.repeat(even[:1], 4, axis=0), even, np.repeat(even[-1:], 4, axis=0)])
    smooth = np.column_stack([np.convolve(padded[:, k], np.full(9, 1 / 9), mode="valid") for k in range(2)])
    smooth[:4], smooth[-4:] = even[:4], even[-4:]
    return smooth
