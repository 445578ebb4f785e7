"""Movers: attempts at traffic, kept where they stay clear of each other, the ego and what stands."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from densegt.simulate.clearance import circles, clearance, footprint
from densegt.simulate.motion import Motion, Path, Speed, travel
from densegt.simulate.simple.catalogue import bus_body, car_body, cyclist_body, pedestrian_body, truck_body
from densegt.simulate.simple.ground import Ground
from densegt.simulate.simple.layout import AHEAD_M, BEHIND_M
from densegt.simulate.simple.street import Street
from densegt.simulate.simple.things import Body, Thing, make_thing

Float64 = NDArray[np.float64]

EGO_LWH_M = (4.1, 1.8, 1.6)
"""The recording car; its frame's origin is on the ground under the rear axle."""


def lane(ground: Ground, d: float, x0: float, x1: float) -> Path:
    """The line at offset d from the centreline, from x0 to x1 (backwards if x1 < x0)."""
    x = np.linspace(x0, x1, max(int(abs(x1 - x0) / 0.5), 8))
    return Path.through(np.column_stack([x, ground.centre(x) + d]))


Attempt = Callable[[np.random.Generator, Street], tuple[Body, Motion]]


def _along(
    body: Callable[[np.random.Generator], Body], d_sign: int, speeds: tuple[float, float], x: tuple[float, float]
) -> Attempt:
    """Drives along a lane; d_sign -1 is the ego's direction."""

    def attempt(rng: np.random.Generator, street: Street) -> tuple[Body, Motion]:
        ground = street.ground
        which = int(rng.integers(ground.lanes)) if d_sign > 0 else 0
        d = d_sign * ground.lane_m * (which + 0.5) + rng.normal(0, 0.1)
        ends = (-BEHIND_M, street.drive_m + AHEAD_M)
        path = lane(ground, d, *ends) if d_sign < 0 else lane(ground, d, *ends[::-1])
        start = rng.uniform(*x)
        return _drive(rng, street, body(rng), path, start + BEHIND_M if d_sign < 0 else ends[1] - start, speeds)

    return attempt


def _drive(
    rng: np.random.Generator, street: Street, body: Body, path: Path, start_m: float, speeds: tuple[float, float]
) -> tuple[Body, Motion]:
    before = rng.uniform(*speeds)
    after = float(np.clip(before * rng.choice([1.0, 1.0, 0.0, 0.35, 1.4]), 0.0, 14.0))
    speed = Speed(before, after, rng.uniform(0.0, 0.6) * street.seconds, rng.uniform(1.5, 3.0))
    motion = travel(
        path, start_m, speed, street.ground,
        seconds=street.seconds, wheelbase_m=body.wheelbase_m, stride_m=body.stride_m,
    )  # fmt: skip
    return body, motion


def _beside(rng: np.random.Generator, street: Street) -> tuple[Body, Motion]:
    """A cyclist near the parked cars, either way."""
    ground, side = street.ground, int(rng.choice([-1, 1]))
    d = side * (ground.half_width_m - 2.85)
    ends = (-BEHIND_M, street.drive_m + AHEAD_M)
    path = lane(ground, d, *(ends if side < 0 else ends[::-1]))
    x = rng.uniform(5, street.drive_m + 25)
    return _drive(rng, street, cyclist_body(rng), path, x + BEHIND_M if side < 0 else ends[1] - x, (3.0, 6.0))


def _walking(rng: np.random.Generator, street: Street) -> tuple[Body, Motion]:
    """A pedestrian along a pavement."""
    ground, side = street.ground, int(rng.choice([-1, 1]))
    d = side * (ground.half_width_m + rng.uniform(1.3, 2.9))
    ends = (-BEHIND_M, street.drive_m + AHEAD_M)
    ends = ends if rng.random() < 0.5 else ends[::-1]
    x = rng.uniform(-10, street.drive_m + 30)
    return _drive(rng, street, pedestrian_body(rng), lane(ground, d, *ends), abs(x - ends[0]), (0.9, 1.8))


def _crossing(rng: np.random.Generator, street: Street) -> tuple[Body, Motion]:
    """A pedestrian over the road, ahead of the ego."""
    ground, side = street.ground, int(rng.choice([-1, 1]))
    x, reach = rng.uniform(12, street.drive_m + 30), ground.half_width_m + 3.0
    start, stop = ground.place(x, side * reach), ground.place(x + rng.uniform(-1.5, 1.5), -side * reach)
    path = Path.through(start + np.linspace(0, 1, 40)[:, None] * (stop - start))
    return _drive(rng, street, pedestrian_body(rng), path, rng.uniform(0, 1.2 * reach), (1.0, 1.8))


def _cross_street(rng: np.random.Generator, street: Street) -> tuple[Body, Motion]:
    """A vehicle over the cross-street."""
    ground, way = street.ground, int(rng.choice([-1, 1]))
    x = ground.cross_x_m + way * ground.cross_half_m / 2
    middle = ground.place(x, 0.0)
    y = np.linspace(-way * 55, way * 55, 120)
    path = Path.through(np.column_stack([np.full(120, x), middle[1] + y]))
    return _drive(rng, street, car_body(rng), path, rng.uniform(5, 75), (3.0, 9.0))


def _turning(rng: np.random.Generator, street: Street) -> tuple[Body, Motion]:
    """A car that turns right: out of the cross-street, or out of the ego's street into it."""
    ground = street.ground
    out = bool(rng.random() < 0.5)
    radius = 6.5
    d = -ground.lane_m * (ground.lanes - 0.5)
    lane_x = ground.cross_x_m + (1 if out else -1) * ground.cross_half_m / 2
    corner = ground.place(lane_x, d)
    turn = np.linspace(0, np.pi / 2, 24)
    if out:  # northwards from the right-hand arm, then along +x
        arc = corner + radius * np.column_stack([1 - np.cos(turn), np.sin(turn) - 1])
        first = np.column_stack([np.full(80, corner[0]), np.linspace(corner[1] - 50, arc[0, 1], 80, endpoint=False)])
        x = np.linspace(arc[-1, 0], street.drive_m + AHEAD_M, 200)[1:]
        last = np.column_stack([x, ground.centre(x) + d])
        start = rng.uniform(5, 45)
    else:  # along +x, then southwards
        arc = corner + radius * np.column_stack([np.sin(turn) - 1, np.cos(turn) - 1])
        x = np.linspace(-BEHIND_M, arc[0, 0], 250, endpoint=False)
        first = np.column_stack([x, ground.centre(x) + d])
        last = np.column_stack([np.full(80, corner[0]), np.linspace(arc[-1, 1], arc[-1, 1] - 45, 80)[0:]])[1:]
        start = BEHIND_M + rng.uniform(6, max(ground.cross_x_m - 5, 8))
    path = Path.through(_smoothed(np.concatenate([first, arc, last])))
    return _drive(rng, street, car_body(rng), path, start, (4.0, 6.5))


def _smoothed(xy: Float64) -> Float64:
    """Points every 0.5 m of a path, averaged over 4 m so that its curvature has no jump."""
    s = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(xy, axis=0), axis=1))])
    dense = np.arange(0, s[-1], 0.5)
    even = np.column_stack([np.interp(dense, s, xy[:, k]) for k in range(2)])
    padded = np.concatenate([np.repeat(even[:1], 4, axis=0), even, np.repeat(even[-1:], 4, axis=0)])
    smooth = np.column_stack([np.convolve(padded[:, k], np.full(9, 1 / 9), mode="valid") for k in range(2)])
    smooth[:4], smooth[-4:] = even[:4], even[-4:]
    return smooth


def movers(rng: np.random.Generator, street: Street, ego: Motion, things: list[Thing], unlabelled: int) -> list[Thing]:
    """Things that never touch each other, the ego or what stands; the last `unlabelled` move and have no label."""
    more = int(street.drive_m / 60)  # a long street has more people in it
    plan: list[Attempt] = [
        _along(car_body, -1, (5, 11), (14, 26)),  # ahead
        _along(car_body, -1, (5, 11), (-22, -10)),  # behind
        _along(car_body, +1, (5, 13), (8, 45)),
        _along(car_body, +1, (5, 13), (35, 100)),
        _along(truck_body if rng.random() < 0.5 else bus_body, +1, (4, 9), (20, 80)),
        _along(bus_body if rng.random() < 0.5 else truck_body, -1, (4, 9), (28, 60)),
        _cross_street,
        _turning,
        *[_beside] * (2 + more),
        *[_crossing] * (2 + more),
        *[_walking] * (6 + 2 * more),
    ]
    hidden = [_along(car_body, +1, (6, 12), (10, 60)), _crossing, _cross_street, _beside]
    times = np.linspace(0, street.seconds, max(int(street.seconds * 8), 8))
    taken = [footprint(t.body, t.motion, times) for t in things]
    T_ego = ego.T_world_body(times)
    taken.append(circles(T_ego, 1.4, EGO_LWH_M[0] + 1.5, EGO_LWH_M[1] + 0.3))
    fixed = np.broadcast_to(street.obstacles, (len(times), *street.obstacles.shape))
    found: list[Thing] = []
    wishes = [([a] * 80, True) for a in plan]
    wishes += [([hidden[k % len(hidden)]] * 150 + [_walking] * 300, False) for k in range(unlabelled)]
    for attempts, labelled in wishes:
        for attempt in attempts:
            body, motion = attempt(rng, street)
            mine = footprint(body, motion, times)
            if any(clearance(mine, other) < 0.25 for other in [*reversed(taken), fixed]):
                continue
            thing = make_thing(body, motion, labelled=labelled, seconds=street.seconds)
            if not labelled and not thing.moving:
                continue
            taken.append(mine)
            found.append(thing)
            break
    return found
