"""Blooming of retroreflectors: plates before a wall, stripes on bodies, and against the reference implementation."""

from __future__ import annotations

import numpy as np
import pytest

from densegt.kernels.blooming import blooming

from ..twins import twin_of

RETRO_INTENSITY, SHARE, STEPS = 100.0, 0.5, np.array([3, 3, 1, 1])
WALL_M = 20.0


def rows_of(shape):
    """Neighbours (N,4) left, right, up, down on a grid of rings and columns; none beyond its border."""
    index = np.arange(np.prod(shape)).reshape(shape)
    out = np.full((*shape, 4), -1, dtype=np.int32)
    out[:, :-1, 0], out[:, 1:, 1] = index[:, 1:], index[:, :-1]
    out[:-1, :, 2], out[1:, :, 3] = index[1:], index[:-1]
    return out.reshape(-1, 4)


def found(range_m, intensity, kernel=blooming):
    out = np.zeros(range_m.size, dtype=np.bool_)
    given = (np.float32(range_m).ravel(), np.float32(intensity).ravel(), rows_of(range_m.shape))
    kernel(*given, STEPS, RETRO_INTENSITY, SHARE, out)
    return out.reshape(range_m.shape)


def scan(plate, body):
    """Ranges and intensities of rings x columns: a bright plate at 10 m in a dim body at 10 m before a wall."""
    range_m, intensity = np.full((9, 21), WALL_M), np.full((9, 21), 15.0)
    range_m[body], intensity[plate] = 10.0, 220.0
    return range_m, intensity


PLATE = (slice(3, 6), slice(8, 13))


@pytest.mark.parametrize("wall_m", [WALL_M, np.inf])
def test_what_reports_the_plates_range_beside_it_is_its_halo(wall_m):
    body = (slice(2, 7), slice(6, 15))
    range_m, intensity = scan(PLATE, body)
    range_m[range_m == WALL_M] = wall_m
    wanted = np.zeros(range_m.shape, dtype=bool)
    wanted[PLATE[0], body[1]] = wanted[body[0], PLATE[1]] = True
    wanted[PLATE] = False
    assert np.array_equal(found(range_m, intensity), wanted)


def test_a_plate_without_halo_and_its_wall_stay():
    assert not found(*scan(PLATE, PLATE)).any()


def test_a_plate_on_a_body_is_none():
    assert not found(*scan(PLATE, (slice(1, 9), slice(3, 18)))).any()


def test_a_dark_sign_on_a_bright_plate_stays():
    range_m, intensity = scan(PLATE, PLATE)
    intensity[4, 9:12] = 20.0
    assert not found(range_m, intensity).any()


def test_something_nearer_beside_it_is_no_background():
    range_m, intensity = scan(PLATE, (slice(3, 6), slice(6, 13)))
    range_m[:, :6] = 5.0
    assert not found(range_m, intensity).any()


@pytest.mark.parametrize("seed", range(4))
def test_equals_its_reference(seed):
    rng = np.random.default_rng(seed)
    shape = (6, 40)
    range_m = rng.choice([9.8, 10.0, 10.25, 10.4, 20.0, np.inf, np.nan], shape, p=[0.2, 0.3, 0.2, 0.1, 0.1, 0.05, 0.05])
    intensity = rng.choice([0.0, 20.0, 49.9, 50.0, 100.0, 255.0, np.nan], shape)
    assert np.array_equal(found(range_m, intensity), found(range_m, intensity, twin_of(blooming)))


def test_no_returns():
    out = np.zeros(0, dtype=np.bool_)
    nothing = np.zeros(0, dtype=np.float32)
    blooming(nothing, nothing, np.zeros((0, 4), dtype=np.int32), STEPS, RETRO_INTENSITY, SHARE, out)
