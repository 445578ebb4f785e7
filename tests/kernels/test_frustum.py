"""Culling, transformation and viewing geometry."""

from __future__ import annotations

import numpy as np
import pytest

from densegt.kernels.frustum import move_surfels, select_in_frustum, viewing_geometry

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
