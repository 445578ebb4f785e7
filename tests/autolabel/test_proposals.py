"""Proposals: an outline is found where it is, walls and open road are none, one place is one proposal."""

from __future__ import annotations

import numpy as np
import pytest

from densegt.autolabel.config import ProposalConfig
from densegt.autolabel.proposals import TEMPLATES, BevMaps, Proposal, distinct, propose

CONFIG = ProposalConfig()


def maps_with(*cars: tuple[float, float, float]) -> BevMaps:
    """Maps of 40 m with the outlines of cars at x, y, yaw, and open road beyond 0.2 m from them."""
    at = (np.arange(200) + 0.5) * CONFIG.cell_m
    x, y = np.meshgrid(at, at, indexing="ij")
    body, free = np.zeros((200, 200), np.float32), np.ones((200, 200), np.float32)
    for cx, cy, yaw in cars:
        c, s = np.cos(yaw), np.sin(yaw)
        u = np.abs(c * (x - cx) + s * (y - cy)) - 2.2
        v = np.abs(-s * (x - cx) + c * (y - cy)) - 0.92
        d = np.maximum(u, v)
        body[(np.abs(d) < 0.12)] = 1
        free[d < 0.2] = 0
    none = np.zeros_like(body)
    return BevMaps(np.zeros(2), body, none, none, free)


def test_an_outline_is_found_where_it_is() -> None:
    best = propose(maps_with((18.0, 21.0, 0.5)), CONFIG)[0]
    assert np.hypot(best.x - 18.0, best.y - 21.0) < 0.3
    assert abs(np.sin(best.yaw - 0.5)) < np.deg2rad(12)
    assert best.template == TEMPLATES[0]


def test_cars_bumper_to_bumper_are_as_many() -> None:
    found = propose(maps_with((12.0, 20.0, 0.0), (17.4, 20.0, 0.0), (22.8, 20.0, 0.0)), CONFIG)
    first = sorted(p.x for p in found[:3])
    assert first == pytest.approx([12.0, 17.4, 22.8], abs=0.4)


def test_open_road_and_walls_are_no_cars() -> None:
    assert propose(maps_with(), CONFIG) == []
    maps = maps_with((18.0, 21.0, 0.5))
    walled = maps._replace(wall=maps.body, high_wall=maps.body)
    assert propose(walled, CONFIG)[:1] == [] or propose(walled, CONFIG)[0].score < propose(maps, CONFIG)[0].score / 2


def test_the_best_of_those_that_cover_the_same_ground_stays() -> None:
    car, other = TEMPLATES[0], TEMPLATES[1]
    better = Proposal(0.0, 0.0, 0.0, car, 3.0)
    worse, turned = Proposal(0.3, 0.0, 0.0, car, 2.0), Proposal(0.1, 0.0, 1.5, other, 1.5)
    beside = Proposal(0.0, 2.5, 0.0, car, 1.0)
    kept = distinct([better, worse, turned, beside], 10)
    assert [(p.x, p.y) for p in kept if p.template == car] == [(0.0, 0.0), (0.0, 2.5)]
    assert distinct([better, beside], 1) == [better]
    assert distinct([], 5) == []
