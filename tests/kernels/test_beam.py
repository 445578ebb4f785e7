"""Range images, and the beam of a sweep that looks at a place: one, and many at a time."""

from __future__ import annotations

import numpy as np
import pytest

from densegt.accumulation.motion.range_images import image_columns
from densegt.kernels.beam import ROUGH_RAD, beam_to, rough_arctan2
from densegt.kernels.beam_lookup import beam_at, ring_above, ring_lookup
from densegt.kernels.range_images import fill_range_image

from ..twins import twin_of
from .scanned import COLUMNS, PERIOD_S, RINGS, SWEEPS, at, images_of


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
