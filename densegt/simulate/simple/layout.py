"""Layout: which fixtures stand where along a street."""

from __future__ import annotations

import numpy as np

from densegt.simulate.simple.furniture import Fixture, bush, fence, house, lamp_post, road_sign, tree
from densegt.simulate.simple.ground import Ground

BEHIND_M, AHEAD_M = 110.0, 130.0
"""The street is furnished this far behind the start and ahead of the end of the drive."""

WALK_M = 3.4
"""Width of a pavement; plots begin behind it."""


def furnish(rng: np.random.Generator, ground: Ground, drive_m: float) -> list[Fixture]:
    """All fixtures of a street in which the ego drives `drive_m` from x = 0."""
    x0, x1 = -BEHIND_M, drive_m + AHEAD_M
    fixtures = []
    for side in (-1, 1):
        fixtures += _plots(rng, ground, x0, x1, side)
        fixtures += _kerbside(rng, ground, x0, x1, side)
    fixtures += _far_ends(rng, ground, x0, x1)
    return fixtures


def _near_crossing(ground: Ground, x: float, margin_m: float) -> bool:
    return abs(x - ground.cross_x_m) < ground.cross_half_m + margin_m


def _plots(rng: np.random.Generator, ground: Ground, x0: float, x1: float, side: int) -> list[Fixture]:
    """Houses and gardens one after the other; the cross-street stays free."""
    fixtures: list[Fixture] = []
    x = x0
    while x < x1:
        length = float(rng.uniform(9, 22))
        middle = x + length / 2
        if _near_crossing(ground, middle, length / 2 + 2.5):
            x += 2.0
            continue
        if rng.random() < 0.68:
            back = WALK_M + float(rng.uniform(0.0, 2.5)) + 0.12 * length / 2
            fixtures.append(house(rng, ground, middle, side, length_m=length - 0.3, set_back_m=back))
        else:
            fixtures += _garden(rng, ground, x, length, side)
        x += length + float(rng.choice([0.2, 0.4, 3.0, 5.0]))
    return fixtures


def _garden(rng: np.random.Generator, ground: Ground, x: float, length: float, side: int) -> list[Fixture]:
    """A fence along the pavement, bushes and trees behind it, and a house far back."""
    edge = ground.half_width_m + WALK_M
    metal = bool(rng.random() < 0.6)
    colour = (0.10, 0.12, 0.11) if metal else (0.45, 0.33, 0.22)
    fixtures = [
        fence(ground, u, side * edge, colour=colour, metal=metal) for u in np.arange(x + 1.2, x + length - 1.2, 2.4)
    ]
    for _ in range(int(rng.integers(1, 4))):
        at = ground.place(rng.uniform(x + 1, x + length - 1), side * (edge + rng.uniform(1.2, 7)))
        fixtures.append(bush(rng, ground, at))
    if rng.random() < 0.7:
        fixtures += tree(rng, ground, ground.place(x + length / 2, side * (edge + rng.uniform(2.5, 5))))
    fixtures.append(house(rng, ground, x + length / 2, side, length_m=length, set_back_m=WALK_M + rng.uniform(11, 16)))
    return fixtures


def _kerbside(rng: np.random.Generator, ground: Ground, x0: float, x1: float, side: int) -> list[Fixture]:
    """Lamp posts, signs and street trees at the pavement's outer edge."""
    fixtures: list[Fixture] = []
    for x in np.arange(x0 + rng.uniform(0, 28), x1, 28.0):
        if not _near_crossing(ground, x, 1.0):
            fixtures.append(lamp_post(ground, float(x), side))
    for x in np.arange(x0 + rng.uniform(0, 19), x1, 19.0):
        at = float(x + rng.uniform(-3, 3))
        if not _near_crossing(ground, at, 1.0):
            fixtures.append(road_sign(rng, ground, at, side))
    spacing = float(rng.uniform(11, 17))
    for x in np.arange(x0 + rng.uniform(0, spacing), x1, spacing):
        if rng.random() < 0.6 and not _near_crossing(ground, x, 3.0):
            fixtures += tree(rng, ground, ground.place(float(x), side * (ground.half_width_m + 0.75)))
    return fixtures


def _far_ends(rng: np.random.Generator, ground: Ground, x0: float, x1: float) -> list[Fixture]:
    """Blocks that close the street far away and the cross-street at both ends."""
    ends = []
    for d in (-1, 1):
        ends.append(house(rng, ground, ground.cross_x_m, d, length_m=30.0, set_back_m=60.0 - ground.half_width_m))
    return ends
