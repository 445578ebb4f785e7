"""Attempts: one way each to place something on the street that moves, or its twin that stands."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from densegt.simulate.motion import Path, Speed
from densegt.simulate.movers import catalogue
from densegt.simulate.movers.placing import Attempt, Placed, Scene
from densegt.simulate.movers.thing import Body
from densegt.simulate.ranges import Ranges

Float64 = NDArray[np.float64]


def plan(scene: Scene, ranges: Ranges) -> list[Attempt]:
    """What is tried, in this order: each once as it moves and once as it stands."""
    rng = scene.rng
    big = [catalogue.truck, catalogue.bus, catalogue.tram]
    always: list[Attempt] = [
        _ahead(catalogue.car), _oncoming(catalogue.car), _cross_street, _beside, _oncoming(big[int(rng.integers(3))]),
    ]  # fmt: skip
    pool: list[Attempt] = [
        _oncoming(catalogue.car), _behind(catalogue.car), _turning, _ahead(big[int(rng.integers(3))]), _beside, _beside,
        _oncoming(catalogue.motorcycle), _ahead(catalogue.motorcycle), _articulated, _towing, _reversing, _overtaking,
        _leaving, _oncoming(catalogue.car), _cross_street, _ahead(catalogue.car),
    ]  # fmt: skip
    count = ranges.count(rng, "vehicles")
    tried = always[:count] + [pool[int(i)] for i in rng.integers(0, len(pool), max(count - len(always), 0))]
    tried += [_walking] * ranges.count(rng, "walkers") + [_crossing] * 2 + [_special] * int(rng.integers(1, 4))
    return tried + [_crowd] * ranges.count(rng, "crowd")


def hidden(index: int) -> list[Attempt]:
    """How something without a label may move, until one fits."""
    first: list[Attempt] = [_oncoming(catalogue.car), _crossing, _cross_street, _beside]
    return [first[index % len(first)]] * 60 + [_walking] * 200


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
    def attempt(q: Scene) -> list[Placed]:
        s = q.rng.uniform(13, 50 + (q.reach_m if q.still else 0))  # what stands there must be out of the ego's way
        return [_along(q, q.body(draw), _lane_d(q, forward=True), s, forward=True, speeds=(4, 11))]

    return attempt


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


def _leaving(scene: Scene) -> list[Placed]:
    """A car that leaves its place at the kerb."""
    section, side = scene.terrain.section, int(scene.rng.choice([-1, 1]))
    ends = _ends(scene, side == -section.right)
    way = 1.0 if ends[1] > ends[0] else -1.0
    begin = float(scene.rng.uniform(5, scene.reach_m + 30))
    s = np.arange(ends[0], ends[1], 0.5 * way)
    u = np.clip(way * (s - begin) / 14.0, 0, 1)
    kerb, lane = section.half_width - 1.15, section.lane * (section.lanes - 0.5)
    path = Path.through(scene.terrain.places(s, side * (kerb + (lane - kerb) * u * u * (3 - 2 * u))))
    start = abs(begin + way * scene.rng.uniform(-1, 6) - ends[0]) / abs(ends[1] - ends[0]) * path.length_m
    body = scene.body(catalogue.car)
    if scene.still:
        return [scene.go(body, path, start, (0, 0))]
    speed = Speed(0.3, float(scene.rng.uniform(3, 6)), 0.0, float(scene.rng.uniform(1.5, 3.0)))
    return [(body, scene.travel(body, path, start, speed))]


def _train(scene: Scene, first: Body, second: Body) -> list[Placed]:
    """Two bodies, one behind the other at a fixed way along the same path."""
    forward = bool(scene.rng.random() < 0.5)
    section = scene.terrain.section
    d = (-1 if forward else 1) * section.right * section.lane * (section.lanes - 0.5)
    ends = _ends(scene, forward)
    path = scene.lane(d, *ends)
    start = float(scene.rng.uniform(0.35, 0.65)) * path.length_m
    pace = 0.0 if scene.still else float(scene.rng.uniform(3, 9))
    speed = Speed(pace, pace, 0.0, 1.0)
    places = zip((first, second), (0.0, catalogue.coupling_m(first, second)), strict=True)
    return [(body, scene.travel(body, path, start - back, speed)) for body, back in places]


def _articulated(scene: Scene) -> list[Placed]:
    """A truck with its semi-trailer."""
    front, rear = scene.body(catalogue.tractor), scene.body(catalogue.semi_trailer)
    return _train(scene, front, rear)


def _towing(scene: Scene) -> list[Placed]:
    """A car with a trailer."""
    front, rear = scene.body(catalogue.car), scene.body(catalogue.small_trailer)
    return _train(scene, front, rear)


def _walking(scene: Scene) -> list[Placed]:
    """Somebody along a pavement."""
    section, side = scene.terrain.section, int(scene.rng.choice([-1, 1]))
    d = side * (section.half_width + scene.rng.uniform(0.9, section.walk - 0.3))
    s = float(scene.rng.uniform(-12, scene.reach_m + 35))
    return [_along(scene, scene.person(), d, s, forward=bool(scene.rng.random() < 0.5), speeds=(0.7, 1.9))]


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
    body = scene.person()
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
