"""Tiles of ground where surfels lie, against one array over the whole extent."""

import tracemalloc

import numpy as np
import pytest
from scipy.ndimage import distance_transform_edt, median_filter

from densegt.accumulation.motion.discovery.ground_height import (
    CELL_M,
    LAYER_M,
    MIN_UP,
    NO_GROUND_M,
    REACH_M,
    TILE,
    Ground,
)
from densegt.accumulation.surfels import Surfels


def surfels_at(xyz, up=None):
    """Surfels (N,) whose normal's upward part is `up`, 1 if not given."""
    n = len(xyz)
    tangents = np.zeros((n, 2, 3), np.float32)
    tangents[:, 0, 0] = 1
    tangents[:, 1, 1] = 1 if up is None else up
    return Surfels(
        np.asarray(xyz, np.float32),
        tangents,
        np.zeros((n, 4), np.float32),
        np.zeros(n, np.float32),
        np.zeros(n, np.int32),
    )


class DenseGround:
    """The obvious way: one array, every cell of it."""

    def __init__(self, surfels, usable, lidar):
        low, high = lidar[:, :2].min(axis=0) - REACH_M, lidar[:, :2].max(axis=0) + REACH_M
        self.corner = low.astype(np.float64)
        height = np.full(tuple(np.ceil((high - low) / CELL_M).astype(int)), np.nan)
        heights = {}
        level = usable & (surfels.tangents[:, 1, 1] >= MIN_UP)
        for x, y, z in surfels.xyz[level].tolist():
            cell = int((x - self.corner[0]) // CELL_M), int((y - self.corner[1]) // CELL_M)
            if all(0 <= k < n for k, n in zip(cell, height.shape, strict=True)):
                heights.setdefault(cell, []).append(z)
        for cell, z in heights.items():
            lowest = [h for h in z if h <= min(z) + LAYER_M]
            height[cell] = sum(lowest) / len(lowest)
        x, y = distance_transform_edt(np.isnan(height), return_distances=False, return_indices=True)
        self.height_m = median_filter(height[x, y], size=3, mode="nearest")

    def under(self, xy):
        at = np.clip((xy.astype(np.float64) - self.corner) / CELL_M - 0.5, 0, np.array(self.height_m.shape) - 1.001)
        (x, y), (u, v), h = at.astype(int).T, (at % 1).T, self.height_m
        low, high = h[x, y] * (1 - u) + h[x + 1, y] * u, h[x, y + 1] * (1 - u) + h[x + 1, y + 1] * u
        return low * (1 - v) + high * v


def drive(rng, *, metres, n=20_000, sweeps=20):
    """Surfels around a straight drive on hilly ground, and where the lidar was."""
    lidar = np.linspace([0, 0, 2], [metres, metres / 3, 2], sweeps).astype(np.float32)
    xyz = lidar[rng.integers(0, sweeps, n)] + rng.normal(0, [15, 15, 0.2], (n, 3))
    xyz[:, 2] += 3 * np.sin(xyz[:, 0] / 40)
    return surfels_at(xyz, rng.choice([1.0, 0.2], n)), rng.random(n) < 0.9, lidar


@pytest.mark.parametrize("metres", [0.0, 30.0, 400.0])
def test_where_surfels_lie_the_height_is_that_of_one_large_array(metres):
    surfels, usable, lidar = drive(np.random.default_rng(0), metres=metres)
    xy = surfels.xyz[:, :2]
    got, wanted = Ground.of(surfels, usable, lidar), DenseGround(surfels, usable, lidar)
    np.testing.assert_array_equal(got.under(xy), wanted.under(xy))


def test_no_step_where_tiles_meet():
    surfels, usable, lidar = drive(np.random.default_rng(1), metres=100.0)
    ground = Ground.of(surfels, usable, lidar)
    seam_m = ground.grid.corner[0] + CELL_M * (np.unique(ground.tile[:, 0])[1:] * TILE + 0.5)
    y_m = np.linspace(0, 20, 50)
    for x_m in seam_m:
        before, behind = (ground.under(np.column_stack([np.full(50, x_m + d), y_m])) for d in (-1e-6, 1e-6))
        np.testing.assert_allclose(before, behind, atol=1e-4)


@pytest.mark.parametrize("step_m", [500.0, 5_000.0, 1e6])
def test_memory_grows_with_surfels_not_with_the_extent(step_m):
    rng = np.random.default_rng(2)
    lidar = (np.arange(24)[:, None] * np.array([step_m, step_m, 0])).astype(np.float32)
    xyz = lidar[rng.integers(0, 24, 30_000)] + rng.normal(0, [20, 20, 0.1], (30_000, 3))
    surfels, usable = surfels_at(xyz), np.ones(30_000, np.bool_)
    tracemalloc.start()
    try:
        ground = Ground.of(surfels, usable, lidar)
        assert tracemalloc.get_traced_memory()[1] < 60 << 20
    finally:
        tracemalloc.stop()
    np.testing.assert_allclose(ground.under(lidar[:, :2]), 0, atol=0.5)


def test_one_place_far_away_costs_a_tile():
    surfels, usable, lidar = drive(np.random.default_rng(3), metres=50.0, n=3000)
    far = np.append(lidar, [[3e6, -2e6, 2.0]], axis=0).astype(np.float32)
    ground = Ground.of(surfels, usable, far)
    assert len(ground.tile) < 40
    assert np.isfinite(ground.under(far[:, :2])).all()


def test_no_surfel_no_ground():
    lidar = np.zeros((3, 3), np.float32)
    for surfels in (
        surfels_at(np.zeros((0, 3))),
        surfels_at(np.full((4, 3), np.nan)),
        surfels_at(np.zeros((4, 3)), 0.1),
    ):
        ground = Ground.of(surfels, np.ones(len(surfels), np.bool_), lidar)
        np.testing.assert_array_equal(ground.under(np.array([[0.0, 0.0], [1e5, 5.0]])), NO_GROUND_M)


def test_between_tiles_the_nearest_one_answers():
    xyz = np.array([[0, 0, 1.0], [600.0, 0, 7.0]])
    ground = Ground.of(surfels_at(xyz), np.ones(2, np.bool_), xyz.astype(np.float32))
    np.testing.assert_allclose(ground.under(np.array([[150.0, 0.0], [450.0, 0.0]])), [1.0, 7.0])
