"""Votes for free space: of one place after another, and of many at a time."""

from __future__ import annotations

import numpy as np
import pytest

from densegt.kernels.free_space import free_space_votes
from densegt.kernels.free_space_counts import free_space_counts
from densegt.kernels.free_space_violations import free_space_violations

from ..twins import twin_of
from .scanned import MARGIN, SWEEPS, around, asked_about, at, images_of, still_lidar


def votes(kernel, xyz, sweep, asked, images):
    passed, met = np.full(len(xyz), 77, np.uint8), np.full(len(xyz), 77, np.uint8)
    xyz, sweep = np.asarray(xyz, np.float32).reshape(-1, 3), np.asarray(sweep, np.int32)
    kernel(xyz, sweep, asked, images, MARGIN, passed, met)
    return passed, met


CASES = [(0, 0, 0.5, 1), (1, 400, 0.0, 1), (2, 1500, 0.5, 1), (3, 1500, 1.0, 1), (4, 1500, 0.7, 2), (5, 1500, 0.7, 3)]


@pytest.mark.parametrize(("seed", "n", "answers", "lidars"), CASES)
def test_votes_equal_twin(seed: int, n: int, answers: float, lidars: int) -> None:
    rng = np.random.default_rng(seed)
    images = images_of(seed, answers, lidars=lidars)
    xyz = (rng.normal(size=(n, 3)) * 6).astype(np.float32)
    if n:
        xyz[0] = images.origin[3]  # where the lidar itself stood
        xyz[1] = np.nan
    sweep = rng.integers(0, SWEEPS, n).astype(np.int32)
    asked = asked_about([1, -1, 2, -2, 5, -5, 99])
    got = votes(free_space_votes, xyz, sweep, asked, images)
    # NaN compares false with everything: no ring holds it and nobody votes. The twin cannot even ask.
    ask = np.isfinite(xyz).all(axis=1)
    wanted = votes(twin_of(free_space_votes), xyz[ask], sweep[ask], asked, images)
    np.testing.assert_array_equal(got[0][ask], wanted[0])
    np.testing.assert_array_equal(got[1][ask], wanted[1])
    assert not np.array(got)[:, ~ask].any()
    if answers > 0 and n:
        assert got[0].any()
        assert got[1].any()
    if answers == 0:
        assert not np.array(got).any()


@pytest.mark.parametrize(("seed", "n", "answers", "lidars"), CASES)
def test_counts_of_many_places_equal_the_same_twin(seed: int, n: int, answers: float, lidars: int) -> None:
    rng = np.random.default_rng(seed)
    images = images_of(seed, answers, lidars=lidars)
    xyz = (rng.normal(size=(n, 3)) * 6).astype(np.float32)
    xyz[:1] = np.nan
    sweep = np.sort(rng.integers(0, SWEEPS, n)).astype(np.int32)
    asked = asked_about([1, -1, 2, -2, 5, -5, 99])
    got = np.array(votes(free_space_counts, xyz, sweep, asked, images))
    wanted = np.array(votes(twin_of(free_space_counts), xyz[1:], sweep[1:], asked, images))
    # Beams are told to within 5e-6 rad: on a border between columns either answer is right.
    assert (got[:, 1:] != wanted).mean() < 0.002 if n else got.size == 0
    assert not got[:, :1].any()


def one_place(range_m: np.ndarray, distance: float, *, elevation: float = 0.05, azimuth: float = 0.0):
    """Votes (passed, met) of a single other sweep with two rings at 0 and 0.1 rad over a place between them."""
    images = np.zeros((2, 2, 36), np.float32)
    images[1] = range_m
    place = at(azimuth, elevation, distance)
    passed, met = votes(free_space_votes, [place], [0], asked_about([1], 2), still_lidar(images, [0.0, 0.1]))
    return int(passed[0]), int(met[0])


@pytest.mark.parametrize(
    ("lower", "upper", "vote"),
    [
        ([30, 30, 30, 30], [30, 30, 30, 30], (1, 0)),  # all beams go on
        ([30, 30, 30, 30], [30, 10, 30, 30], (0, 1)),  # one of eight meets it
        ([30, 30, 30, 30], [30, 4, 30, 30], (0, 0)),  # one is stopped before: hidden
        ([4, 4, 4, 4], [4, 4, 4, 4], (0, 0)),
        ([30, 0, 0, 30], [0, 0, 30, 0], (1, 0)),  # no answer is no vote, but each ring has one
        ([30, 30, 30, 30], [0, 0, 0, 0], (0, 0)),  # a ring without any answer cannot tell
        ([0, 0, 0, 0], [0, 0, 0, 0], (0, 0)),
        ([10.51, 30, 30, 30], [30, 30, 30, 30], (1, 0)),  # the margin is 0.3 + 0.02 x 10 = 0.5 m
        ([10.49, 30, 30, 30], [30, 30, 30, 30], (0, 1)),
        ([9.51, 30, 30, 30], [30, 30, 30, 30], (0, 1)),
        ([9.49, 30, 30, 30], [30, 30, 30, 30], (0, 0)),
    ],
)
def test_one_vote_by_hand(lower: list[float], upper: list[float], vote: tuple[int, int]) -> None:
    assert one_place(around(lower, upper), 10.0) == vote


def test_only_the_beams_next_to_the_place_are_asked() -> None:
    image = around([30] * 4, [30] * 4)
    image[:, 15] = image[:, 20] = 10.0
    assert one_place(image, 10.0) == (1, 0)
    # Half a column to the left the four are 17 to 20.
    assert one_place(image, 10.0, azimuth=np.deg2rad(5.1)) == (0, 1)


def test_the_four_columns_go_around_the_scan_start() -> None:
    image = np.full((2, 36), 60.0, np.float32)
    image[0, 0] = 10.0
    for azimuth in (np.pi - 0.01, -np.pi + 0.01):
        assert one_place(image, 10.0, azimuth=azimuth) == (0, 1)
    assert one_place(image, 10.0, azimuth=np.pi - 0.3) == (1, 0)


@pytest.mark.parametrize("elevation", [-0.001, 0.101, 1.2, -1.2])
def test_outside_the_rings_nobody_votes(elevation: float) -> None:
    assert one_place(np.full((2, 36), 30.0, np.float32), 10.0, elevation=elevation) == (0, 0)


def test_only_the_sweeps_asked_vote_and_none_is_minus_one() -> None:
    images = still_lidar(np.full((3, 2, 36), 30.0, np.float32), [0.0, 0.1])
    place = at(0.0, 0.05, 10.0)
    for row, asked, count in ((0, [[-1, -1, 1]], 1), (1, [[-1], [2]], 1), (0, [[0, 1, 2]], 3), (0, [[-1, -1]], 0)):
        passed, met = votes(free_space_votes, [place], [row], np.array(asked, np.int64), images)
        assert (passed[0], met[0]) == (count, 0)
    passed, _ = votes(free_space_votes, [place], [0], np.empty((1, 0), np.int64), images)
    assert passed[0] == 0


def test_each_lidar_is_asked_by_its_own_rings_and_clock() -> None:
    """Two lidars, the second's rings 0.3 rad higher: a place between the rings of one is seen by that one."""
    images = still_lidar(np.full((2, 2, 36), 30.0, np.float32), [0.0, 0.1])
    both = images._replace(
        ring_elevation=np.array([[0.0, 0.1], [0.3, 0.4]], np.float32),
        clock=np.repeat(images.clock, 2, axis=0),
        lidar=np.array([0, 1]),
    )
    asked = np.array([[0, 1]])
    for elevation, sweep in ((0.05, 0), (0.35, 1)):
        passed, _ = votes(free_space_votes, [at(0.0, elevation, 10.0)], [0], asked, both)
        assert passed[0] == 1
        stopped = both.ranges_m.copy()
        stopped[sweep] = 4.0
        passed, _ = votes(free_space_votes, [at(0.0, elevation, 10.0)], [0], asked, both._replace(ranges_m=stopped))
        assert passed[0] == 0


@pytest.mark.parametrize(("seed", "n", "answers", "lidars"), CASES)
def test_violations_count_the_votes(seed: int, n: int, answers: float, lidars: int) -> None:
    rng = np.random.default_rng(seed)
    images = images_of(seed, answers, lidars=lidars)
    xyz = (rng.normal(size=(n, 3)) * 6).astype(np.float32)
    xyz[:1], xyz[1:2] = images.origin[3], np.nan
    # Sorted but for a few: then it is only slower.
    sweep = np.sort(rng.integers(0, SWEEPS, n)).astype(np.int32)
    sweep[n // 2 : n // 2 + 5] = 0
    asked = asked_about([1, -1, 2, -2, 5, -5, 99])
    got, wanted = np.full(n, 77, np.uint8), np.full(n, 77, np.uint8)
    free_space_violations(xyz, sweep, asked, images, MARGIN, got)
    ask = np.isfinite(xyz).all(axis=1)
    wanted = wanted[ask]
    twin_of(free_space_violations)(xyz[ask], sweep[ask], asked, images, MARGIN, wanted)
    np.testing.assert_array_equal(got[ask], wanted)
    assert not got[~ask].any()
    assert got.any() == (n > 0 and answers > 0)
