"""The kerb: what is parked or rolls along it, who sits, cones and barriers, parked two-wheelers."""

from __future__ import annotations

import numpy as np

from densegt.simulate.movers import catalogue
from densegt.simulate.movers.placing import Placed, Scene
from densegt.simulate.movers.thing import Body
from densegt.simulate.ranges import Ranges

AJAR = 0.08
"""Share of the parked cars with a door ajar."""


_At = tuple[Body, float, float]


def at_the_kerb(scene: Scene, ranges: Ranges) -> list[list[Placed]]:
    """Bodies that belong together, one group after the other."""
    out: list[list[Placed]] = []
    for side in (-1, 1):
        rolling = bool(scene.rng.random() < ranges.draw(scene.rng, "rolling_kerb"))
        out += _rolling(scene, side) if rolling else _parked(scene, side, ranges.draw(scene.rng, "parked_share"))
    return out + _small_things(scene)


def _unit(rng: np.random.Generator, *, parked: bool) -> list[Body]:
    """A vehicle, or one with its trailer: the same kinds whether they are parked or roll."""
    kind = int(rng.choice(5, p=[0.84, 0.06, 0.03, 0.03, 0.04]))
    if kind == 0:
        return [catalogue.car(rng, ajar=parked and bool(rng.random() < AJAR))]
    if kind == 3:
        return [catalogue.tractor(rng), catalogue.semi_trailer(rng)]
    if kind == 4:
        return [catalogue.car(rng), catalogue.small_trailer(rng)]
    return [catalogue.truck(rng) if kind == 1 else catalogue.bus(rng)]


def _row(scene: Scene, side: int, unit: list[Body], s: float) -> tuple[list[_At], float, float]:
    """Bodies with their places (s, d) along a kerb, and where the first begins, which is s, and the last ends."""
    section = scene.terrain.section
    half = [float(body.size_lwh_m[0]) / 2 for body in unit]
    back = [0.0] if len(unit) == 1 else [0.0, catalogue.coupling_m(*unit)]
    length = half[0] + back[-1] + half[-1]
    width = min(float(unit[0].size_lwh_m[1]), 2.6)
    d = side * (section.half_width - width / 2 - float(scene.rng.uniform(0.1, 0.3)))
    way = 1.0 if side == -section.right else -1.0
    head = s + (length - half[0] if way > 0 else half[0])
    at = [(body, head - way * b, d) for body, b in zip(unit, back, strict=True)]
    return at, s, s + length


def _free(scene: Scene, begin: float, end: float) -> bool:
    """Whether a stretch along the road keeps clear of the cross-street."""
    margin = scene.terrain.cross_half + 7.0
    return end < scene.terrain.cross_s - margin or begin > scene.terrain.cross_s + margin


def _parked(scene: Scene, side: int, share: float) -> list[list[Placed]]:
    """Vehicles that stand along a kerb, some with a door ajar."""
    rng, section = scene.rng, scene.terrain.section
    out: list[list[Placed]] = []
    s = -75.0
    while s < scene.reach_m + 85.0:
        if rng.random() > share:
            s += 6.3
            continue
        row, begin, end = _row(scene, side, _unit(rng, parked=True), s)
        if not _free(scene, begin, end):
            s += 6.3
            continue
        turn = (0.0 if side == -section.right else np.pi) + float(rng.normal(0, 0.02))
        out.append([scene.stand(body, at, d, turn) for body, at, d in row])
        s = end + float(rng.uniform(0.6, 1.6))
    return out


def _rolling(scene: Scene, side: int) -> list[list[Placed]]:
    """Vehicles that go along a kerb where nothing is parked, all at one pace."""
    rng, section = scene.rng, scene.terrain.section
    forward = side == -section.right
    low, high = float(scene.terrain.s[0]) + 12, float(scene.terrain.s[-1]) - 12
    ends = (low, high) if forward else (high, low)
    speed = scene.speed((2.0, 9.0))
    out: list[list[Placed]] = []
    s = -45.0
    while s < scene.reach_m + 60.0:
        row, _, end = _row(scene, side, _unit(rng, parked=False), s)
        group = []
        for body, at, d in row:
            path = scene.lane(d, *ends)
            start = abs(at - ends[0]) / (high - low) * path.length_m
            group.append((body, scene.travel(body, path, start, speed)))
        out.append(group)
        s = end + float(rng.uniform(2.0, 14.0))
    return out


def _small_things(scene: Scene) -> list[list[Placed]]:
    """People who sit, parked two-wheelers, cones and barriers."""
    rng, section = scene.rng, scene.terrain.section
    out: list[list[Placed]] = []
    for _ in range(int(rng.integers(0, 3))):
        s, side = float(rng.uniform(-15, scene.reach_m + 45)), int(rng.choice([-1, 1]))
        d = side * (section.half_width + rng.uniform(0.8, section.walk - 0.4))
        out.append([scene.stand(catalogue.pedestrian(rng, pose="sit"), s, d, float(rng.uniform(-3, 3)))])
    for _ in range(int(rng.integers(2, 7))):
        s, side = float(rng.uniform(-15, scene.reach_m + 45)), int(rng.choice([-1, 1]))
        draw = catalogue.bicycle if rng.random() < 0.65 else catalogue.motorcycle
        body = draw(rng, rider=False)
        out.append([scene.stand(body, s, side * (section.half_width + 0.7), float(rng.normal(0, 0.3)))])
    if rng.random() < 0.6:
        s, side = float(rng.uniform(5, scene.reach_m + 35)), int(rng.choice([-1, 1]))
        for k in range(int(rng.integers(3, 9))):
            body = catalogue.cone(rng) if rng.random() < 0.5 else catalogue.barrier(rng)
            turn = float(rng.normal(np.pi / 2, 0.1))
            out.append([scene.stand(body, s + 2.1 * k, side * (section.half_width - 2.5), turn)])
    return out
