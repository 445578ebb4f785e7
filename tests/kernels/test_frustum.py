"""Culling, transformation and viewing geometry."""

from __future__ import annotations

import numpy as np
import pytest

from densegt.kernels.frustum import (
    BLOCK_ROWS,
    block_bounds,
    move_surfels,
    select_blocks_in_frustum,
    select_in_frustum,
    viewing_geometry,
)

from ..twins import twin_of
from .samples import CAMERA, random_surfels


@pytest.mark.parametrize("seed", range(3))
def test_select_and_move_equal_twins(seed: int) -> None:
    rng = np.random.default_rng(seed)
    xyz = rng.normal(0, 10, (500, 3)).astype(np.float32)
    xyz[:2] = np.nan
    T = np.eye(4)
    T[:3, :3] = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    T[:3, 3] = rng.normal(size=3)
    rows, wanted = np.empty(500, np.int32), np.empty(500, np.int32)
    n = select_in_frustum(xyz, T, CAMERA, 4.0, 0.3, 15.0, rows)
    assert n == twin_of(select_in_frustum)(xyz, T, CAMERA, 4.0, 0.3, 15.0, wanted)
    assert 0 < n < 500
    np.testing.assert_array_equal(rows[:n], wanted[:n])
    tangents = rng.normal(size=(500, 2, 3)).astype(np.float32)
    results = []
    for move in (move_surfels, twin_of(move_surfels)):
        moved, turned = np.empty((n, 3), np.float32), np.empty((n, 2, 3), np.float32)
        move(xyz, tangents, rows[:n], T, moved, turned)
        results.append((moved, turned))
    np.testing.assert_allclose(results[0][0], results[1][0], rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(results[0][1], results[1][1], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("seed", "n"), [(0, 0), (1, 1), (2, BLOCK_ROWS), (3, 9 * BLOCK_ROWS + 7)])
def test_blocks_equal_twins_and_all_points_one_by_one(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    # Clusters, so that some blocks lie wholly outside and some wholly inside; on a plane of the frustum, and NaN.
    xyz = (np.repeat(rng.normal(0, 12, (n // 100 + 1, 3)), 100, axis=0)[:n] + rng.normal(0, 0.3, (n, 3))).astype(
        np.float32
    )
    xyz[n // 2 : n // 2 + 9, 2], xyz[n // 3 : n // 3 + 2] = 0.3, np.nan
    answers = []
    for bounds_of, select in (
        (block_bounds, select_blocks_in_frustum),
        (twin_of(block_bounds), twin_of(select_blocks_in_frustum)),
    ):
        bounds = np.full((-(-n // BLOCK_ROWS), 2, 3), 7, np.float32)
        bounds_of(xyz, bounds)
        rows = np.full(n, -7, np.int32)
        count = select(xyz, bounds, np.eye(4), CAMERA, 4.0, 0.3, 15.0, rows)
        answers.append((bounds, rows[:count]))
    np.testing.assert_array_equal(answers[0][0], answers[1][0])
    np.testing.assert_array_equal(answers[0][1], answers[1][1])
    one_by_one = np.empty(n, np.int32)
    count = select_in_frustum(xyz, np.eye(4), CAMERA, 4.0, 0.3, 15.0, one_by_one)
    np.testing.assert_array_equal(answers[0][1], one_by_one[:count])
    assert n < 1000 or 0 < count < n


@pytest.mark.parametrize(("seed", "n"), [(0, 0), (1, 300)])
def test_viewing_geometry_equals_twin(seed: int, n: int) -> None:
    xyz, tangents, _ = random_surfels(seed, n)
    rng = np.random.default_rng(seed)
    sweep, lidar = rng.integers(0, 5, n).astype(np.int32), rng.normal(size=(5, 3)).astype(np.float32)
    lidar[0] = 0  # at the camera itself: no sideways error
    results = [(np.empty(n, np.float32), np.empty(n, np.float32)) for _ in range(2)]
    for kernel, out in zip((viewing_geometry, twin_of(viewing_geometry)), results, strict=True):
        kernel(xyz, tangents, sweep, lidar, 633.0, 0.03, *out)
    for got, wanted in zip(*results, strict=True):
        np.testing.assert_allclose(got, wanted, rtol=2e-3, atol=1e-4)
    np.testing.assert_allclose(results[0][0][sweep == 0], 1, atol=1e-4)
