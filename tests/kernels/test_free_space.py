"""Beams of other sweeps: range images, the beam that looks at a place, votes for free space, silent places."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from densegt.accumulation.motion.range_images import image_columns
from densegt.kernels.beam import ROUGH_RAD, beam_to, rough_arctan2
from densegt.kernels.beam_lookup import beam_at, ring_above, ring_lookup
from densegt.kernels.free_space import free_space_votes
from densegt.kernels.free_space_shares import free_space_shares
from densegt.kernels.free_space_violations import free_space_violations, free_space_violations_now
from densegt.kernels.range_images import Margin, RangeImages, fill_range_image

from ..twins import twin_of

SWEEPS, RINGS, COLUMNS = 7, 6, 90
PERIOD_S = 0.05


MARGIN = Margin(0.3, 0.02)


def images_of(seed: int, answers: float, *, lidars: int = 1, farthest_m: float = 30.0) -> RangeImages:
    """Sweeps of lidars that are driven about, each with its rings and clock; `answers` is the share of returns."""
    rng = np.random.default_rng(seed)
    elevation = np.full((lidars, RINGS), np.inf, np.float32)
    for lidar in range(lidars):
        # The second one has fewer rings, the third none.
        count = (RINGS, 4, 0)[lidar]
        elevation[lidar, :count] = np.sort(rng.uniform(-0.5, 0.3, count))
    clock = [[rng.choice([-1.0, 1.0]), rng.uniform(-3, 3), rng.choice([0.5, 1.0]), PERIOD_S] for _ in range(lidars)]
    R = Rotation.from_euler("zyx", rng.uniform([-np.pi, -0.2, -0.2], [np.pi, 0.2, 0.2], (SWEEPS, 3))).as_matrix()
    near = rng.uniform(1, farthest_m, (SWEEPS, RINGS, COLUMNS)) * (rng.random((SWEEPS, RINGS, COLUMNS)) < answers)
    lidar = np.arange(SWEEPS) % lidars
    near[np.isinf(elevation)[lidar]] = 0
    return RangeImages(
        ranges_m=near.astype(np.float32),
        ring_elevation=elevation,
        clock=np.array(clock, np.float32),
        lidar=lidar,
        origin=rng.normal(0, 2, (SWEEPS, 3)).astype(np.float32),
        velocity=rng.normal(0, 5, (SWEEPS, 3)).astype(np.float32),
        R_lidar_global=R.astype(np.float32),
        read=np.ones(SWEEPS, np.bool_),
    )


def still_lidar(ranges_m: np.ndarray, elevation: list[float]) -> RangeImages:
    """Sweeps (S,R,C) from the origin, upright: beam directions are plain azimuth and elevation."""
    sweeps = len(ranges_m)
    return RangeImages(
        ranges_m=ranges_m.astype(np.float32),
        ring_elevation=np.array([elevation], np.float32),
        clock=np.array([[-1, 0, 1, PERIOD_S]], np.float32),
        lidar=np.zeros(sweeps, np.int64),
        origin=np.zeros((sweeps, 3), np.float32),
        velocity=np.zeros((sweeps, 3), np.float32),
        R_lidar_global=np.tile(np.eye(3, dtype=np.float32), (sweeps, 1, 1)),
        read=np.ones(sweeps, np.bool_),
    )


def asked_about(offsets, sweeps: int = SWEEPS) -> np.ndarray:
    """The sweeps (S,K) so many after each, -1 for none."""
    there = np.arange(sweeps)[:, None] + np.asarray(offsets, np.int64)
    return np.where((there >= 0) & (there < sweeps), there, -1)


def at(azimuth: float, elevation: float, distance: float) -> np.ndarray:
    c = np.cos(elevation)
    return distance * np.array([c * np.cos(azimuth), c * np.sin(azimuth), np.sin(elevation)])


# --- range image ---


@pytest.mark.parametrize(("seed", "n"), [(0, 0), (1, 1), (2, 50), (3, 8000)])
def test_range_image_equals_twin(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    row = rng.integers(0, RINGS, n)
    column = rng.integers(0, COLUMNS, n).astype(np.uint16)
    range_m = rng.choice([2.0, 3.5, 8.0, 40.0], n).astype(np.float32)  # ties
    got, wanted = np.zeros((RINGS, COLUMNS), np.float32), np.zeros((RINGS, COLUMNS), np.float32)
    fill_range_image(row, column, range_m, got)
    twin_of(fill_range_image)(row, column, range_m, wanted)
    np.testing.assert_array_equal(got, wanted)
    assert (got > 0).sum() <= n
    if n == 8000:
        assert (got > 0).all()


def test_range_image_columns_by_hand() -> None:
    """Four columns of a quarter turn each; it starts behind, and the nearest of a cell wins whatever its order."""
    azimuth = np.array([-3.1, -0.1, 0.0, 0.1, 1.5, 1.6, 3.1, np.pi], np.float32)
    range_m = np.array([1.0, 2.0, 4.0, 3.0, 5.0, 6.0, 7.0, 0.5], np.float32)
    out = np.zeros((2, 4), np.float32)
    fill_range_image(np.ones(8, np.int64), image_columns(azimuth, 4), range_m, out)
    # +pi is -pi: it falls into the first column.
    np.testing.assert_array_equal(out, [[0, 0, 0, 0], [0.5, 2.0, 3.0, 6.0]])


# --- the beam that looks at a place ---


@pytest.mark.parametrize("seed", range(5))
def test_beam_equals_twin(seed: int) -> None:
    images = images_of(seed, 0.5)
    for s, place in enumerate(np.random.default_rng(seed).uniform(-30, 30, (SWEEPS, 3)).astype(np.float32)):
        pose = (images.origin[s], images.velocity[s], images.R_lidar_global[s], images.clock[0])
        np.testing.assert_allclose(beam_to(place, *pose), twin_of(beam_to)(place, *pose), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("clockwise", [True, False])
@pytest.mark.parametrize("stamp_fraction", [0.0, 0.5, 1.0])
def test_beam_of_a_driving_lidar_is_the_one_that_measured_the_place(clockwise: bool, stamp_fraction: float) -> None:
    """Fire a beam at a known time from where the lidar is then; asked for the place it met, get that beam back.

    At 20 m/s and 10 m the first guess of the direction is off by at most 1 m / 10 m = 0.1 rad, so the time by
    0.1 / 2 pi x 50 ms = 0.8 ms and the place by 16 mm, which is 1.6 mrad.
    """
    sign, scan_start = (-1.0 if clockwise else 1.0), 1.2
    clock = np.array([sign, scan_start, stamp_fraction, PERIOD_S], np.float32)
    origin, velocity = np.array([3.0, -2, 1]), np.array([12.0, -16.0, 0.0])
    R = np.eye(3, dtype=np.float32)
    for turned in np.linspace(
        0.08, 0.92, 15
    ):  # not at the scan start, where a turn's first and last beam are one direction
        time_s = (turned - stamp_fraction) * PERIOD_S
        azimuth = np.arctan2(
            np.sin(scan_start + sign * turned * 2 * np.pi), np.cos(scan_start + sign * turned * 2 * np.pi)
        )
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
def test_shares_equal_the_same_twin(seed: int, n: int, answers: float, lidars: int) -> None:
    rng = np.random.default_rng(seed)
    images = images_of(seed, answers, lidars=lidars)
    xyz = (rng.normal(size=(n, 3)) * 6).astype(np.float32)
    xyz[:1] = np.nan
    sweep = np.sort(rng.integers(0, SWEEPS, n)).astype(np.int32)
    asked = asked_about([1, -1, 2, -2, 5, -5, 99])
    got = np.array(votes(free_space_shares, xyz, sweep, asked, images))
    wanted = np.array(votes(twin_of(free_space_shares), xyz[1:], sweep[1:], asked, images))
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


# --- many places at a time ---


@pytest.mark.parametrize("seed", range(4))
def test_beams_of_many_places_equal_twin(seed: int) -> None:
    images = images_of(seed, 0.5)
    pose = (images.origin[1], images.velocity[1], images.R_lidar_global[1], images.clock[0])
    places = np.random.default_rng(seed).uniform(-30, 30, (300, 3)).astype(np.float32)
    got, wanted = ((np.empty(300, np.int32), np.empty(300, np.float32), np.empty(300, np.float32)) for _ in range(2))
    beam_at(places, *pose, COLUMNS, *got)
    twin_of(beam_at)(places, *pose, COLUMNS, *wanted)
    np.testing.assert_allclose(got[1], wanted[1], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(got[2], wanted[2], rtol=1e-5)
    azimuth = np.array([twin_of(beam_to)(p, *pose)[0] for p in places])
    exact = (azimuth + np.pi) / (2 * np.pi) * COLUMNS - 0.5
    clear = np.abs(exact - np.round(exact)) > 1e-3
    np.testing.assert_array_equal(got[0][clear], wanted[0][clear])
    assert clear.mean() > 0.95


def test_rings_are_looked_up_as_by_the_twin() -> None:
    elevation = images_of(3, 0.5, lidars=3).ring_elevation
    got, wanted = ring_lookup(elevation), twin_of(ring_lookup)(elevation)
    for name in got._fields:
        np.testing.assert_allclose(getattr(got, name), getattr(wanted, name), rtol=1e-12, err_msg=name)
    for lidar, slopes in ((0, got.slope[0]), (1, got.slope[1, :4])):
        for slope in (*slopes[:-1], *np.random.default_rng(0).uniform(slopes[0], slopes[-1], 200)):
            of_lidar = (got.slope[lidar], got.above[lidar], got.per_slope[lidar], got.last[lidar])
            assert ring_above(slope, *of_lidar) == twin_of(ring_above)(slope, *of_lidar)


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
