"""Random subsampling in cells of image and depth."""

from __future__ import annotations

import numpy as np
import pytest

from densegt.kernels.subsample import subsample_points, subsample_surfels

from ..twins import twin_of
from .samples import CAMERA, assert_mostly_close, random_surfels


@pytest.mark.parametrize(("seed", "n", "count"), [(0, 0, 0), (1, 400, 300), (2, 400, 0), (3, 3000, 3000)])
def test_subsample_surfels_equals_twin(seed: int, n: int, count: int) -> None:
    xyz, _, half_m = random_surfels(seed, n)
    xyz[: n // 2, 2] = np.random.default_rng(seed).choice(
        [0.05, 4.0, 4.4, 300.0], n // 2
    )  # nearest cell, ties, farthest
    incidence = np.random.default_rng(seed).uniform(0, 1, n).astype(np.float32)
    results = []
    for subsample in (subsample_surfels, twin_of(subsample_surfels)):
        share = np.where(np.arange(n) % 2 == 0, 0.5, 1).astype(np.float32)
        subsample(xyz, half_m, incidence, np.full(n, 5, np.float32), CAMERA, 4.0, count, share)
        results.append(share)
    assert_mostly_close(*results, share=0.005)
    assert (results[0][count:] >= 0.5).all()
    assert (results[0] == 0).any() == (count > 0)


def test_subsample_surfels_keeps_all_of_a_few_and_about_enough_of_many() -> None:
    def kept(n: int, layers: float) -> tuple[int, float]:
        xyz = np.tile(np.array([[0, 0, 10]], np.float32), (n, 1))
        half_m, ones = np.full((n, 4), 1.0, np.float32), np.ones(n, np.float32)  # 4 m2 at 10 m: 16.8 of 64 pixels
        share = np.ones(n, np.float32)
        subsample_surfels(xyz, half_m, ones, 99 * ones, CAMERA, layers, n, share)
        return int((share > 0).sum()), float((1 / share[share > 0]).sum())

    assert kept(10, 10.0) == (10, 10.0)
    number, stands_for = kept(1000, 10.0)
    assert abs(number - 10 * 64 / 16.8) < 2
    assert abs(stands_for - 1000) < 40


def subsampled(kernel, xyz, sweep, exempt, density, rows):
    """Rows kept and the probability of each."""
    rows, share = rows.copy(), np.full(len(rows), 77, np.float32)
    T = np.eye(4)
    T[:3, :3] = [[0, -1, 0], [1, 0, 0], [0, 0, 1]]
    T[:3, 3] = [0.5, -0.25, 0.125]
    count = kernel(xyz, sweep, exempt, T, CAMERA, density, rows, share)
    return rows[:count], share[:count]


@pytest.mark.parametrize(("seed", "n"), [(0, 0), (1, 1), (2, 400), (3, 3000)])
def test_subsample_points_equals_twin(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    xyz, _, _ = random_surfels(seed, n)
    xyz[: n // 2, 2] = rng.choice([0.05, 4.0, 4.4, 300.0], n // 2)  # nearest cell, ties, farthest
    sweep, exempt = rng.integers(0, 5, n).astype(np.int32), np.array([False, True, False, False, False])
    rows = np.flatnonzero(rng.random(n) < 0.8).astype(np.int32)
    got, wanted = (subsampled(f, xyz, sweep, exempt, 0.02, rows) for f in (subsample_points, twin_of(subsample_points)))
    # A place on a cell's border falls to either side.
    assert len(set(got[0].tolist()) ^ set(wanted[0].tolist())) <= 0.02 * n
    same, at, back = np.intersect1d(got[0], wanted[0], return_indices=True)
    assert_mostly_close(got[1][at], wanted[1][back], share=0.02)
    assert (np.diff(got[0]) > 0).all()
    assert set(rows[exempt[sweep[rows]]].tolist()) <= set(got[0].tolist())
    if n == 3000:
        assert len(same) < 0.9 * len(rows)


def test_subsample_points_keeps_all_of_a_few_and_about_enough_of_many() -> None:
    def kept(n: int, exempt: bool) -> tuple[int, float]:
        xyz, sweep = np.tile(np.array([[0, 0, 10]], np.float32), (n, 1)), np.zeros(n, np.int32)
        _, share = subsampled(subsample_points, xyz, sweep, np.array([exempt]), 2.0, np.arange(n, dtype=np.int32))
        return len(share), float((1 / share).sum())

    assert kept(128, exempt=False) == (128, 128.0)
    number, stands_for = kept(5000, exempt=False)
    assert abs(number - 128) < 3
    assert abs(stands_for - 5000) < 100
    assert kept(5000, exempt=True) == (5000, 5000.0)
