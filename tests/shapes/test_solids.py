"""Unions of convex solids and the procedural vehicles made of them."""

from __future__ import annotations

import numpy as np
import pytest

from densegt.shapes.families import CAR_BODIES, FAMILIES
from densegt.shapes.solids import ROUND_M, Solids


def _box(half: tuple[float, float, float], middle: tuple[float, float, float]) -> np.ndarray:
    corners = np.stack(np.meshgrid(*[(-1, 1)] * 3, indexing="ij"), -1).reshape(-1, 3)
    return corners * half + np.array(middle)


def test_the_distance_to_a_box_is_exact_beside_its_faces_and_negative_inside() -> None:
    shape = Solids.of([_box((2.0, 1.0, 0.5), (0, 0, 0.5))])
    beside = np.array([[2.3, 0.2, 0.5], [0.4, 1.7, 0.5], [-2.05, 0, 0.5], [0, 0, 1.6], [1.8, 0.2, 0.5]])
    assert shape.distance(beside) == pytest.approx([0.3, 0.7, 0.05, 0.6, -0.2], abs=ROUND_M)


def test_the_distance_to_a_union_is_that_to_its_nearest_part() -> None:
    parts = [_box((1.0, 1.0, 0.5), (x, 0, 0.5)) for x in (-3.0, 3.0)]
    both = Solids.of(parts)
    xyz = np.random.default_rng(0).uniform(-5, 5, (200, 3))
    assert both.distance(xyz) == pytest.approx(np.min([Solids.of([p]).distance(xyz) for p in parts], axis=0))


@pytest.mark.parametrize("family", FAMILIES)
def test_vehicles_stand_on_the_ground_and_their_surface_is_where_the_distance_is_nought(family: str) -> None:
    rng = np.random.default_rng(3)
    shape = FAMILIES[family](rng)
    xyz = shape.surface(3000, rng)
    assert len(xyz) > 2000
    assert np.abs(shape.distance(xyz)).max() < 0.005
    assert abs(shape.low[2]) < 0.02
    # The surface reaches all sides of the box around the solids.
    assert xyz.max(axis=0) == pytest.approx(shape.high, abs=0.15)
    assert xyz.min(axis=0) == pytest.approx(shape.low, abs=0.15)


def test_cars_are_as_large_as_data_sheets_say() -> None:
    rng = np.random.default_rng(0)
    sizes = np.array([FAMILIES["car"](rng).size_lwh_m for _ in range(60)])
    low, high = (np.array([b[k] for b in np.array(list(CAR_BODIES.values())).transpose(0, 2, 1)]) for k in (0, 1))
    assert (sizes >= low.min(axis=0) - 0.02).all()
    assert (sizes <= high.max(axis=0) + 0.02).all()
    assert sizes[:, 0].std() > 0.3
