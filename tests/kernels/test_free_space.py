"""Beams of other sweeps: range images, the beam that looks at a place, votes for free space, silent places."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from densegt.kernels.beam import ROUGH_RAD, beam_to, rough_arctan2
from densegt.kernels.beam_lookup import beam_at
from densegt.kernels.free_space import fill_range_image, free_space_votes
from densegt.kernels.free_space_violations import free_space_violations, free_space_violations_now

from ..reference.free_space_violations import unanswered
from ..twins import twin_of

SWEEPS, RINGS, COLUMNS = 7, 6, 90
PERIOD_S = 0.05


def sensor(seed: int, speed_mps: float = 10.0):
    """Ring elevations, places, velocities, attitudes and clock of a lidar that is driven about."""
    rng = np.random.default_rng(seed)
    elevation = np.sort(rng.uniform(-0.5, 0.3, RINGS)).astype(np.float32)
    origin = rng.normal(0, 2, (SWEEPS, 3)).astype(np.float32)
    velocity = (rng.normal(size=(SWEEPS, 3)) * speed_mps / 2).astype(np.float32)
    R = Rotation.from_euler("zyx", rng.uniform([-np.pi, -0.2, -0.2], [np.pi, 0.2, 0.2], (SWEEPS, 3))).as_matrix()
    clock = np.array([rng.choice([-1.0, 1.0]), rng.uniform(-3, 3), rng.choice([0.5, 1.0]), PERIOD_S], np.float32)
    return elevation, origin, velocity, R.astype(np.float32), clock


def still_lidar(sweeps: int, elevation: list[float]):
    """One that stands at the origin, upright: beam directions are plain azimuth and elevation."""
    zeros = np.zeros((sweeps, 3), np.float32)
    upright = np.tile(np.eye(3, dtype=np.float32), (sweeps, 1, 1))
    return np.array(elevation, np.float32), zeros, zeros, upright, np.array([-1, 0, 1, PERIOD_S], np.float32)


def at(azimuth: float, elevation: float, distance: float) -> np.ndarray:
    c = np.cos(elevation)
    return distance * np.array([c * np.cos(azimuth), c * np.sin(azimuth), np.sin(elevation)])


# --- range image ---


@pytest.mark.parametrize(("seed", "n"), [(0, 0), (1, 1), (2, 50), (3, 4000)])
def test_range_image_equals_twin(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    row = rng.integers(0, RINGS, n)
    azimuth = rng.uniform(-np.pi, np.pi, n).astype(np.float32)
    range_m = rng.choice([2.0, 3.5, 8.0, 40.0], n).astype(np.float32)  # ties
    got, wanted = np.zeros((RINGS, COLUMNS), np.float32), np.zeros((RINGS, COLUMNS), np.float32)
    fill_range_image(row, azimuth, range_m, got)
    twin_of(fill_range_image)(row, azimuth, range_m, wanted)
    np.testing.assert_array_equal(got, wanted)
    assert (got > 0).sum() <= n
    if n == 4000:
        assert (got > 0).all()


def test_range_image_columns_by_hand() -> None:
    """Four columns of a quarter turn each; the seam is behind, and the nearest of a cell wins whatever its order."""
    azimuth = np.array([-3.1, -0.1, 0.0, 0.1, 1.5, 1.6, 3.1, np.pi], np.float32)
    range_m = np.array([1.0, 2.0, 4.0, 3.0, 5.0, 6.0, 7.0, 0.5], np.float32)
    out = np.zeros((2, 4), np.float32)
    fill_range_image(np.ones(8, np.int64), azimuth, range_m, out)
    # +pi is -pi: it falls into the first column.
    np.testing.assert_array_equal(out, [[0, 0, 0, 0], [0.5, 2.0, 3.0, 6.0]])


# --- the beam that looks at a place ---


@pytest.mark.parametrize("seed", range(5))
def test_beam_equals_twin(seed: int) -> None:
    _, origin, velocity, R, clock = sensor(seed)
    for s, place in enumerate(np.random.default_rng(seed).uniform(-30, 30, (SWEEPS, 3)).astype(np.float32)):
        got = beam_to(place, origin[s], velocity[s], R[s], clock)
        np.testing.assert_allclose(
            got, twin_of(beam_to)(place, origin[s], velocity[s], R[s], clock), rtol=1e-5, atol=1e-5
        )


@pytest.mark.parametrize("clockwise", [True, False])
@pytest.mark.parametrize("stamp_fraction", [0.0, 0.5, 1.0])
def test_beam_of_a_driving_lidar_is_the_one_that_measured_the_place(clockwise: bool, stamp_fraction: float) -> None:
    """Fire a beam at a known time from where the lidar is then; asked for the place it met, get that beam back.

    At 20 m/s and 10 m the first guess of the direction is off by at most 1 m / 10 m = 0.1 rad, so the time by
    0.1 / 2 pi x 50 ms = 0.8 ms and the place by 16 mm, which is 1.6 mrad.
    """
    sign, seam = (-1.0 if clockwise else 1.0), 1.2
    clock = np.array([sign, seam, stamp_fraction, PERIOD_S], np.float32)
    origin, velocity = np.array([3.0, -2, 1]), np.array([12.0, -16.0, 0.0])
    R = np.eye(3, dtype=np.float32)
    for turned in np.linspace(0.08, 0.92, 15):  # not at the seam, where a turn's first and last beam are one direction
        time_s = (turned - stamp_fraction) * PERIOD_S
        azimuth = np.arctan2(np.sin(seam + sign * turned * 2 * np.pi), np.cos(seam + sign * turned * 2 * np.pi))
        place = origin + velocity * time_s + at(azimuth, -0.1, 10.0)
        got = beam_to(place.astype(np.float32), origin.astype(np.float32), velocity.astype(np.float32), R, clock)
        assert abs((got[0] - azimuth + np.pi) % (2 * np.pi) - np.pi) < 1.7e-3
        assert abs(got[1] + 0.1) < 1.7e-3
        assert abs(got[2] - 10.0) < 0.017


def test_beam_of_a_standing_lidar_is_plain_direction() -> None:
    R = np.array([[0, 1, 0], [-1, 0, 0], [0, 0, 1]], np.float32)  # x to the right of global x
    clock = np.array([-1, 0.3, 1, PERIOD_S], np.float32)
    azimuth, elevation, distance = beam_to(
        np.array([4.0, 5.0, 1.0], np.float32), np.array([1.0, 1.0, 1.0], np.float32), np.zeros(3, np.float32), R, clock
    )
    np.testing.assert_allclose([azimuth, elevation, distance], [np.arctan2(-3, 4), 0, 5], atol=1e-6)


def test_rough_arctangent_keeps_its_bound() -> None:
    angles = np.linspace(-np.pi, np.pi, 20001)
    for radius in (1e-3, 1.0, 80.0):
        y, x = radius * np.sin(angles), radius * np.cos(angles)
        got = np.array([rough_arctan2(b, a) for b, a in zip(y, x, strict=True)])
        assert np.abs(got - np.arctan2(y, x)).max() < ROUGH_RAD
    assert rough_arctan2(0.0, 0.0) == 0.0


# --- votes ---


def votes(kernel, xyz, sweep, offsets, images, sensed, absolute_m=0.3, relative=0.02):
    passed, met = np.full(len(xyz), 77, np.uint8), np.full(len(xyz), 77, np.uint8)
    xyz, sweep = np.asarray(xyz, np.float32).reshape(-1, 3), np.asarray(sweep, np.int32)
    kernel(xyz, sweep, np.asarray(offsets, np.int64), images, *sensed, absolute_m, relative, passed, met)
    return passed, met


@pytest.mark.parametrize(("seed", "n", "answers"), [(0, 0, 0.5), (1, 400, 0.0), (2, 1500, 0.5), (3, 1500, 1.0)])
def test_votes_equal_twin(seed: int, n: int, answers: float) -> None:
    rng = np.random.default_rng(seed)
    sensed = sensor(seed)
    near = rng.uniform(1, 30, (SWEEPS, RINGS, COLUMNS))
    images = np.where(rng.random(near.shape) < answers, near, 0).astype(np.float32)
    xyz = (rng.normal(size=(n, 3)) * 6).astype(np.float32)
    if n:
        xyz[0] = sensed[1][3]  # where the lidar itself stood
        xyz[1] = np.nan
    sweep = rng.integers(0, SWEEPS, n).astype(np.int32)
    offsets = np.array([1, -1, 2, -2, 5, -5, 99])
    got = votes(free_space_votes, xyz, sweep, offsets, images, sensed)
    # NaN compares false with everything: no ring holds it and nobody votes. The twin cannot even ask.
    ask = np.isfinite(xyz).all(axis=1)
    wanted = votes(twin_of(free_space_votes), xyz[ask], sweep[ask], offsets, images, sensed)
    np.testing.assert_array_equal(got[0][ask], wanted[0])
    np.testing.assert_array_equal(got[1][ask], wanted[1])
    assert not np.array(got)[:, ~ask].any()
    if answers > 0 and n:
        assert got[0].any()
        assert got[1].any()
    if answers == 0:
        assert not np.array(got).any()


def one_place(range_m: np.ndarray, distance: float, *, elevation: float = 0.05, azimuth: float = 0.0):
    """Votes (passed, met) of a single other sweep with two rings at 0 and 0.1 rad over a place between them."""
    images = np.zeros((2, 2, 36), np.float32)
    images[1] = range_m
    place = at(azimuth, elevation, distance)
    passed, met = votes(free_space_votes, [place], [0], [1], images, still_lidar(2, [0.0, 0.1]))
    return int(passed[0]), int(met[0])


def around(lower: list[float], upper: list[float]) -> np.ndarray:
    """Ranges of the four columns about azimuth 0 (16 to 19 of 36, ten degrees each); all else far away."""
    image = np.full((2, 36), 60.0, np.float32)
    image[0, 16:20], image[1, 16:20] = lower, upper
    return image


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


def test_the_four_columns_go_around_the_seam() -> None:
    image = np.full((2, 36), 60.0, np.float32)
    image[0, 0] = 10.0
    for azimuth in (np.pi - 0.01, -np.pi + 0.01):
        assert one_place(image, 10.0, azimuth=azimuth) == (0, 1)
    assert one_place(image, 10.0, azimuth=np.pi - 0.3) == (1, 0)


@pytest.mark.parametrize("elevation", [-0.001, 0.101, 1.2, -1.2])
def test_outside_the_rings_nobody_votes(elevation: float) -> None:
    assert one_place(np.full((2, 36), 30.0, np.float32), 10.0, elevation=elevation) == (0, 0)


def test_sweeps_before_the_first_and_after_the_last_are_not_asked() -> None:
    images = np.full((3, 2, 36), 30.0, np.float32)
    place = at(0.0, 0.05, 10.0)
    for mine, offsets, count in ((0, [-1, -2, 1], 1), (2, [1, 3, -1, -2], 2), (1, [-5, 5], 0), (1, [0], 1), (1, [], 0)):
        passed, met = votes(free_space_votes, [place], [mine], offsets, images, still_lidar(3, [0.0, 0.1]))
        assert (passed[0], met[0]) == (count, 0)


# --- many places at a time ---


@pytest.mark.parametrize("seed", range(4))
def test_look_at_equals_the_beam(seed: int) -> None:
    _, origin, velocity, R, clock = sensor(seed)
    places = np.random.default_rng(seed).uniform(-30, 30, (300, 3)).astype(np.float32)
    column, slope, distance = np.empty(300, np.int32), np.empty(300, np.float32), np.empty(300, np.float32)
    beam_at(places, origin[1], velocity[1], R[1], clock, COLUMNS, column, slope, distance)
    wanted = np.array([twin_of(beam_to)(p, origin[1], velocity[1], R[1], clock) for p in places])
    np.testing.assert_allclose(slope, np.tan(wanted[:, 1]), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(distance, wanted[:, 2], rtol=1e-5)
    exact = (wanted[:, 0] + np.pi) / (2 * np.pi) * COLUMNS - 0.5
    clear = np.abs(exact - np.round(exact)) > 1e-3
    np.testing.assert_array_equal(column[clear], (np.floor(exact[clear]) - 1) % COLUMNS)
    assert clear.mean() > 0.95


@pytest.mark.parametrize(("seed", "n", "answers"), [(0, 0, 0.5), (1, 400, 0.0), (2, 1500, 0.5), (3, 1500, 1.0)])
def test_looked_through_counts_the_votes(seed: int, n: int, answers: float) -> None:
    rng = np.random.default_rng(seed)
    sensed = sensor(seed)
    near = rng.uniform(1, 30, (SWEEPS, RINGS, COLUMNS))
    images = np.where(rng.random(near.shape) < answers, near, 0).astype(np.float32)
    xyz = (rng.normal(size=(n, 3)) * 6).astype(np.float32)
    xyz[:1], xyz[1:2] = sensed[1][3], np.nan
    # Sorted but for a few: then it is only slower.
    sweep = np.sort(rng.integers(0, SWEEPS, n)).astype(np.int32)
    sweep[n // 2 : n // 2 + 5] = 0
    offsets = np.array([1, -1, 2, -2, 5, -5, 99])
    got = np.full(n, 77, np.uint8)
    free_space_violations(xyz, sweep, offsets, images, *sensed, 0.3, 0.02, got)
    ask = np.isfinite(xyz).all(axis=1)
    wanted, _ = votes(twin_of(free_space_votes), xyz[ask], sweep[ask], offsets, images, sensed)
    np.testing.assert_array_equal(got[ask], wanted)
    assert not got[~ask].any()
    assert got.any() == (n > 0 and answers > 0)


def silent(xyz, asked, images, sensed, *, max_answer_m=40.0, min_elevation_rad=-0.26, rows=None, sweep=None):
    """Which places (N,3), measured from where the lidar stands, the kernel calls silent; its votes too."""
    xyz = np.asarray(xyz, np.float32).reshape(-1, 3)
    sweep = np.zeros(len(xyz), np.int32) if sweep is None else sweep
    rows = np.arange(len(xyz), dtype=np.int32) if rows is None else rows
    passed, out = np.full(len(rows), 77, np.uint8), np.tile([True, False], len(rows))[: len(rows)]
    limits = (0.3, 0.02, max_answer_m, min_elevation_rad)
    free_space_violations_now(xyz, sweep, rows, np.asarray(asked, np.int64), images, *sensed, *limits, passed, out)
    return out, passed


@pytest.mark.parametrize(("seed", "asked"), [(0, []), (1, [0]), (2, [3, 4]), (3, [2, 5, 6])])
def test_looked_through_now_equals_twins(seed: int, asked: list[int]) -> None:
    rng = np.random.default_rng(seed)
    sensed = sensor(seed)
    # Sectors without answer, so that some places see nothing but silence.
    sector = np.arange(COLUMNS) // 15 % 2
    near = rng.uniform(1, 30, (SWEEPS, RINGS, COLUMNS)) * (rng.random((SWEEPS, RINGS, COLUMNS)) < 0.8)
    images = np.where(sector == 0, near, 0).astype(np.float32)
    xyz = (rng.normal(size=(1500, 3)) * 8).astype(np.float32)
    xyz[0] = np.nan
    sweep = rng.integers(0, SWEEPS, 1500).astype(np.int32)
    rows = np.flatnonzero(rng.random(1500) < 0.8).astype(np.int32)
    rows[0] = 0
    got, passed = silent(xyz, asked, images, sensed, max_answer_m=9.0, min_elevation_rad=-0.3, rows=rows, sweep=sweep)
    own_m = np.linalg.norm(xyz - sensed[1][sweep], axis=1)
    limits = (np.maximum(1.1 * own_m, 9.0)[rows], -0.3, 0.3)
    wanted = np.empty(len(rows), bool)
    unanswered(xyz[rows], asked, images, *sensed, *limits, wanted)
    np.testing.assert_array_equal(got, wanted)
    assert got.any() == (len(asked) > 0)
    assert not got.all()
    assert not got[0]
    ask = np.isfinite(xyz[rows]).all(axis=1)
    nobody = np.zeros(len(rows), np.int32)[ask]
    through, _ = votes(twin_of(free_space_votes), xyz[rows][ask], nobody, asked, images, sensed)
    np.testing.assert_array_equal(passed[ask], through)
    assert len(silent(xyz[:0], asked, images, sensed)[0]) == 0


@pytest.mark.parametrize(
    ("distance", "elevation", "marked"),
    [(10.0, 0.0, True), (41.0, 0.0, False), (10.0, -0.3, False), (10.0, -0.7, False), (10.0, 0.11, False)],
)
def test_silent_only_within_range_and_field(distance: float, elevation: float, marked: bool) -> None:
    nothing = np.zeros((1, 3, 36), np.float32)
    lidar = still_lidar(2, [-0.6, -0.2, 0.1])
    # Measured by a sweep from close by: only within 40 m something must have answered.
    lidar[1][1] = at(0, elevation, distance)
    one = np.ones(1, np.int32)
    assert silent([at(0, elevation, distance)], [0], nothing, lidar, sweep=one)[0][0] == marked


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
    images = around(lower, upper)[None]
    assert silent([at(0, 0.05, 10.0)], [0], images, still_lidar(1, [0.0, 0.1]))[0][0] == marked


def test_one_sweep_that_got_an_answer_is_enough() -> None:
    images = np.zeros((3, 2, 36), np.float32)
    lidar = still_lidar(3, [-0.1, 0.1])
    place = [at(0, 0, 10.0)]
    assert silent(place, [0, 1, 2], images, lidar)[0][0]
    images[2, 1, 17] = 10.0
    assert not silent(place, [0, 1, 2], images, lidar)[0][0]
    assert silent(place, [0, 1], images, lidar)[0][0]
