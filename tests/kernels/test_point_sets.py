"""Kernels of point networks: sampling, balls, boxes, nearest; random, ties, one place."""

from __future__ import annotations

import numpy as np
import pytest

from densegt.kernels.furthest_points import furthest_points
from densegt.kernels.group import group
from densegt.kernels.points_in_ball import points_in_ball
from densegt.kernels.points_in_boxes import points_in_boxes
from densegt.kernels.three_nearest import three_nearest

from ..twins import twin_of


def cloud(kind: str, n: int = 70, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    if kind == "random":
        return rng.normal(0, 3, (n, 3))
    if kind == "lattice":  # many equal distances, all of them exact
        return rng.integers(-3, 4, (n, 3)).astype(float)
    return np.repeat(rng.normal(0, 3, (1, 3)), n, axis=0)


KINDS = pytest.mark.parametrize("kind", ["random", "lattice", "one place"])


@KINDS
@pytest.mark.parametrize("count", [0, 1, 20])
def test_furthest_points_equal_twin(kind: str, count: int) -> None:
    got, wanted = np.full(count, 7), np.full(count, 9)
    furthest_points(cloud(kind), got)
    twin_of(furthest_points)(cloud(kind), wanted)
    np.testing.assert_array_equal(got, wanted)


@KINDS
@pytest.mark.parametrize("count", [1, 5, 100])
def test_points_in_ball_equal_twin(kind: str, count: int) -> None:
    centres = np.concatenate([cloud(kind)[:9], np.full((1, 3), 99.0)])
    got, wanted = np.full((10, count), 7), np.full((10, count), 9)
    points_in_ball(cloud(kind), centres, 2.0, got)
    twin_of(points_in_ball)(cloud(kind), centres, 2.0, wanted)
    np.testing.assert_array_equal(got, wanted)


@KINDS
def test_points_in_boxes_equal_twin(kind: str) -> None:
    rng = np.random.default_rng(2)
    boxes = np.column_stack([rng.normal(0, 3, (12, 3)), rng.uniform(0.5, 9, (12, 3)), rng.uniform(-4, 4, 12)])
    boxes[3, :3] = 100
    boxes[4] = np.nan
    answers = []
    for inside in (points_in_boxes, twin_of(points_in_boxes)):
        answers.append((np.full((12, 8), 7), np.full(12, 7)))
        inside(cloud(kind, 200), boxes, *answers[-1])
    for got, wanted in zip(*answers, strict=True):
        np.testing.assert_array_equal(got, wanted)
    assert kind != "random" or answers[0][1].max() == 8


@KINDS
def test_three_nearest_equal_twin(kind: str) -> None:
    got, wanted = np.full((70, 3), 7), np.full((70, 3), 9)
    three_nearest(cloud(kind), cloud(kind, 15, 1), got)
    twin_of(three_nearest)(cloud(kind), cloud(kind, 15, 1), wanted)
    np.testing.assert_array_equal(got, wanted)


@pytest.mark.parametrize("n", [0, 1, 300])
def test_group_equals_twin(n: int) -> None:
    key = np.random.default_rng(n).integers(0, 9, n)
    answers = []
    for sort in (group, twin_of(group)):
        answers.append((np.full(12, 7), np.full(n, 7)))
        sort(key, *answers[-1])
    for got, wanted in zip(*answers, strict=True):
        np.testing.assert_array_equal(got, wanted)
