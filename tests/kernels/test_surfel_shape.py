"""The shape of surfels: which returns are linked, how far a surface reaches, and against the reference."""

from __future__ import annotations

import numpy as np
import pytest

from densegt.kernels.ring_neighbours import ring_neighbours
from densegt.kernels.surfel_shape import goes_on, linked, reach_along, surfel_shape

from ..scans import AZIMUTH, GROUND, LEFT, RIGHT, RING_GAP, RINGS, SETTINGS, STEP, drawn, plane
from ..twins import twin_of

# --- links ---


@pytest.mark.parametrize(
    ("range_a", "range_b", "answer"),
    [
        (10.0, 10.0, True),
        (10.0, 10.299, True),  # 0.1 + 2 x 0.01 x 10 = 0.3
        (10.0, 10.301, False),
        (10.301, 10.0, False),
        (0.0, 0.099, True),
        (np.nan, 10.0, False),
        (10.0, np.nan, False),
        (np.inf, np.inf, False),
    ],
)
def test_linked(range_a: float, range_b: float, answer: bool) -> None:
    assert linked(range_a, range_b, 0.01, 2.0) == answer


def line(ranges: list[float]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns side by side, 0.1 m apart at 10 m, each with its left neighbour at the next row."""
    range_m = np.array(ranges, np.float32)
    xyz = np.stack([range_m, 0.1 * np.arange(len(ranges)), np.zeros(len(ranges))], axis=1).astype(np.float32)
    neighbours = np.full((len(ranges), 4), -1, np.int32)
    neighbours[:-1, LEFT] = np.arange(1, len(ranges))
    return xyz, range_m, neighbours


@pytest.mark.parametrize(
    ("ranges", "baseline_m", "last"),
    [
        ([10.0] * 6, 0.25, 3),  # three steps of 0.1 m are the first to reach 0.25 m
        ([10.0] * 6, 0.05, 1),
        ([10.0] * 3, 0.25, 2),  # the surface ends first
        ([10.0] * 20, 9.0, 12),  # at most twelve hops
        ([10.0, 10.0, 14.0, 14.0], 0.25, 1),  # not over a jump
        ([10.0, 14.0], 0.25, -1),
        ([10.0], 0.25, -1),
        ([10.0, 10.25, 10.5, 10.75], 0.9, 3),  # each linked to the last, though the last is far from the first
        ([10.0, 10.0, np.nan, 10.0], 0.25, 1),
    ],
)
def test_reach_along(ranges: list[float], baseline_m: float, last: int) -> None:
    xyz, range_m, neighbours = line(ranges)
    for follow in (reach_along, twin_of(reach_along)):
        assert follow(0, LEFT, xyz, range_m, neighbours, 0.01, 2.0, baseline_m) == last
        assert follow(0, RIGHT, xyz, range_m, neighbours, 0.01, 2.0, baseline_m) == -1


@pytest.mark.parametrize(
    ("ranges", "straight"),
    [
        ([10.0] * 8, True),
        ([10.0, 10.0, 10.0, 10.05, 10.3, 10.6, 10.9], False),  # it bends
        ([10.0] * 4, False),  # it ends
        ([10.0, 10.0, 14.0, 14.0], False),
        ([10.0, 11.0, 12.0], True),  # not linked, seen very flat
    ],
)
def test_goes_on_equals_twin(ranges: list[float], straight: bool) -> None:
    xyz, range_m, neighbours = line(ranges)
    links = (xyz, range_m, neighbours, 0.01, 2.0, 0.25)
    end = reach_along(0, LEFT, *links)
    cosine = goes_on(0, end, LEFT, *links, 0.97)
    assert cosine == pytest.approx(twin_of(goes_on)(0, end, LEFT, *links, 0.97), abs=1e-5)
    assert (cosine > 0) == straight


# --- against the twin ---


def neighbours_of(azimuth: np.ndarray, elevation: np.ndarray, kept: np.ndarray) -> np.ndarray:
    per_ring = kept.reshape(len(elevation), len(azimuth))
    start = np.concatenate([[0], np.cumsum(per_ring.sum(axis=1))]).astype(np.int64)
    out = np.empty((int(kept.sum()), 4), np.int32)
    ring_neighbours(start, np.tile(azimuth, len(elevation))[kept].astype(np.float32), 2.5 * STEP, out)
    return out


@pytest.mark.parametrize("seed", range(4))
def test_equals_twin_on_a_street_of_boxes_with_holes(seed: int) -> None:
    """Ground, walls and many boxes at random, range noise, one return in ten missing, some that are NaN."""
    rng = np.random.default_rng(seed)
    boxes = [(rng.uniform(-0.25, 0.25), rng.uniform(0.003, 0.1), rng.uniform(4, 30)) for _ in range(12)]

    def range_of(d: np.ndarray) -> np.ndarray:
        ranges = np.minimum(GROUND(d), plane([1, rng.uniform(-1, 1), 0], 25)(d))
        azimuth = np.arctan2(d[:, 1], d[:, 0])
        for middle, width, distance in boxes:
            ranges = np.where((np.abs(azimuth - middle) < width) & (ranges > distance), distance, ranges)
        ranges = ranges + rng.normal(0, 0.02, len(d))
        return np.where(ranges < 100, ranges, np.inf)

    e, a = RINGS[::2], AZIMUTH
    directions = np.stack(
        [
            np.outer(np.cos(e), np.cos(a)).ravel(),
            np.outer(np.cos(e), np.sin(a)).ravel(),
            np.repeat(np.sin(e), len(a)),
        ],
        axis=1,
    )
    ranges = range_of(directions)
    kept = np.isfinite(ranges) & (rng.random(len(ranges)) < 0.9)
    xyz = (directions[kept] * ranges[kept, None]).astype(np.float32)
    neighbours = neighbours_of(a, e, kept)
    xyz[rng.integers(0, len(xyz), 5)] = np.nan
    ok = np.isfinite(xyz).all(axis=1)
    # A return that is NaN is linked to none; for the twin it is not there at all.
    without = np.where((neighbours >= 0) & ok[neighbours], neighbours, -1)
    step_rad = np.array([STEP, STEP, 2 * RING_GAP, 2 * RING_GAP], np.float32)
    got = shape(surfel_shape, xyz, neighbours, step_rad)
    wanted = shape(twin_of(surfel_shape), np.nan_to_num(xyz, nan=1.0), without, step_rad)
    np.testing.assert_allclose(got[0][ok], wanted[0][ok], atol=2e-5)
    np.testing.assert_allclose(got[1][ok], wanted[1][ok], atol=2e-5)
    np.testing.assert_array_equal(got[2][ok], wanted[2][ok])
    assert not got[1][~ok].any()
    assert not got[2][~ok].any()
    assert 0.5 < drawn(got[1]).mean() < 0.99


def shape(kernel, xyz: np.ndarray, neighbours: np.ndarray, step_rad: np.ndarray):
    n = len(xyz)
    tangents, half_m = np.full((n, 2, 3), 7, np.float32), np.full((n, 4), 7, np.float32)
    mixed = np.ones(n, bool)
    kernel(xyz, neighbours, step_rad, *SETTINGS, tangents, half_m, mixed)
    return tangents, half_m, mixed


@pytest.mark.parametrize("n", [0, 1, 2])
def test_with_hardly_any_returns_there_is_no_surface(n: int) -> None:
    xyz = np.array([[5, 1, 0], [30, 9, 1]], np.float32)[:n]
    step_rad = np.full(4, 0.01, np.float32)
    tangents, half_m, mixed = shape(surfel_shape, xyz, np.full((n, 4), -1, np.int32), step_rad)
    assert not half_m.any()
    assert not mixed.any()
    # Tangents that face the lidar: to the left, and up.
    np.testing.assert_allclose(np.linalg.norm(tangents, axis=2), np.ones((n, 2)), atol=1e-6)
    np.testing.assert_allclose(np.einsum("nti,ni->nt", tangents, xyz), np.zeros((n, 2)), atol=1e-5)
    if n:
        assert tangents[0, 0, 1] > 0.9
        assert tangents[0, 1, 2] > 0.9


def test_two_returns_at_one_place_make_no_surface() -> None:
    xyz = np.array([[9, 0, 0], [9, 0, 0]], np.float32)
    neighbours = np.array([[1, -1, -1, -1], [-1, 0, -1, -1]], np.int32)
    _, half_m, mixed = shape(surfel_shape, xyz, neighbours, np.full(4, 0.01, np.float32))
    assert not half_m.any()
    assert not mixed.any()
