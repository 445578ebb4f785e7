"""Places that sweeps looked through, and from which they got no answer, asked for a camera."""

from __future__ import annotations

import numpy as np
import pytest

from densegt.kernels.free_space_violations import free_space_violations_now

from ..twins import twin_of
from .scanned import COLUMNS, MARGIN, SWEEPS, around, at, images_of, still_lidar


def silent(xyz, asked, images, *, max_answer_m=40.0, min_elevation_rad=-0.26, rows=None, sweep=None, kernel=None):
    """Which places (N,3), measured from where the lidar stands, the kernel calls silent; its votes too."""
    xyz = np.asarray(xyz, np.float32).reshape(-1, 3)
    sweep = np.zeros(len(xyz), np.int32) if sweep is None else sweep
    rows = np.arange(len(xyz), dtype=np.int32) if rows is None else rows
    passed, out = np.full(len(rows), 77, np.uint8), np.tile([True, False], len(rows))[: len(rows)]
    kernel = kernel or free_space_violations_now
    asked = np.asarray(asked, np.int64)
    kernel(xyz, sweep, rows, asked, images, MARGIN, max_answer_m, min_elevation_rad, passed, out)
    return out, passed


@pytest.mark.parametrize(
    ("seed", "asked", "lidars"), [(0, [], 1), (1, [0], 1), (2, [3, 4], 1), (3, [2, 5, 6], 1), (4, [1, 2, 3, 4], 2)]
)
def test_violations_now_equal_twin(seed: int, asked: list[int], lidars: int) -> None:
    rng = np.random.default_rng(seed)
    images = images_of(seed, 0.8, lidars=lidars)
    # Sectors without answer, so that some places see nothing but silence.
    sector = np.arange(COLUMNS) // 15 % 2
    images = images._replace(ranges_m=np.where(sector == 0, images.ranges_m, np.float32(0)))
    xyz = (rng.normal(size=(1500, 3)) * 8).astype(np.float32)
    sweep = rng.integers(0, SWEEPS, 1500).astype(np.int32)
    rows = np.flatnonzero(rng.random(1500) < 0.8).astype(np.int32)
    limits = {"max_answer_m": 9.0, "min_elevation_rad": -0.3, "rows": rows, "sweep": sweep}
    got, passed = silent(xyz, asked, images, **limits)
    wanted, through = silent(xyz, asked, images, **limits, kernel=twin_of(free_space_violations_now))
    np.testing.assert_array_equal(got, wanted)
    np.testing.assert_array_equal(passed, through)
    assert got.any() == (len(asked) > 0)
    assert not got.all()
    xyz[rows[0]] = np.nan
    assert not silent(xyz, asked, images, **limits)[0][0]
    assert len(silent(xyz[:0], asked, images)[0]) == 0


@pytest.mark.parametrize(
    ("distance", "elevation", "marked"),
    [(10.0, 0.0, True), (41.0, 0.0, False), (10.0, -0.3, False), (10.0, -0.7, False), (10.0, 0.11, False)],
)
def test_silent_only_within_range_and_field(distance: float, elevation: float, marked: bool) -> None:
    images = still_lidar(np.zeros((2, 3, 36)), [-0.6, -0.2, 0.1])
    # Measured by a sweep from close by: only within 40 m something must have answered.
    images.origin[1] = at(0, elevation, distance)
    one = np.ones(1, np.int32)
    assert silent([at(0, elevation, distance)], [0], images, sweep=one)[0][0] == marked


@pytest.mark.parametrize(
    ("lower", "upper", "marked"),
    [
        ([0, 0, 0, 0], [0, 0, 0, 0], True),
        ([0, 0, 0, 0], [3, 3, 3, 3], True),  # half without answer, the others stopped well before
        ([0, 0, 0, 3], [3, 3, 3, 3], True),  # a third without answer
        ([0, 0, 3, 3], [3, 3, 3, 3], False),  # fewer
        ([0, 0, 0, 0], [0, 0, 0, 10], False),  # an answer from the place itself
        ([0, 0, 0, 0], [0, 0, 0, 25], False),  # or from beyond it
        ([0, 0, 0, 0], [0, 0, 0, 9.69], True),  # margin 0.3 m
        ([0, 0, 0, 0], [0, 0, 0, 9.71], False),
    ],
)
def test_silent_by_hand(lower: list[float], upper: list[float], marked: bool) -> None:
    images = still_lidar(around(lower, upper)[None], [0.0, 0.1])
    assert silent([at(0, 0.05, 10.0)], [0], images)[0][0] == marked


def test_one_sweep_that_got_an_answer_is_enough() -> None:
    images = still_lidar(np.zeros((3, 2, 36)), [-0.1, 0.1])
    place = [at(0, 0, 10.0)]
    assert silent(place, [0, 1, 2], images)[0][0]
    images.ranges_m[2, 1, 17] = 10.0
    assert not silent(place, [0, 1, 2], images)[0][0]
    assert silent(place, [0, 1], images)[0][0]


def test_silence_is_a_matter_of_the_lidar_that_measured_the_place() -> None:
    """What another lidar has in its field or not, and what it gets from there, is no answer to this one."""
    images = still_lidar(np.zeros((2, 2, 36)), [-0.1, 0.1])
    images = images._replace(
        ring_elevation=np.array([[-0.1, 0.1], [0.3, 0.4]], np.float32),
        clock=np.repeat(images.clock, 2, axis=0),
        lidar=np.array([0, 1]),
    )
    place = [at(0, 0, 10.0)]
    assert silent(place, [0, 1], images)[0][0]
    assert not silent(place, [1], images)[0][0]
    assert not silent(place, [0, 1], images, sweep=np.ones(1, np.int32))[0][0]
