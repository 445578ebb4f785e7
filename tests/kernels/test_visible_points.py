"""The z-buffer of points."""

from __future__ import annotations

import numpy as np
import pytest

from densegt.kernels.visible_points import ZBuffer, nearest_of_cell, visible_points

from ..twins import twin_of
from .samples import H, K, W, random_surfels


def empty(height_px: int, width_px: int) -> ZBuffer:
    return ZBuffer(np.full((height_px, width_px), np.inf, np.float32), np.full((height_px, width_px), -1, np.int32))


@pytest.mark.parametrize("step", [1, 3])
@pytest.mark.parametrize("seed", range(4))
def test_visible_points_equal_twin(seed: int, step: int) -> None:
    xyz, _, _ = random_surfels(seed, 400)
    xyz[:3] = [[0, 0, -4], [np.nan, 0, 3], [0, 0, 0]]
    xyz[10:20] = xyz[20:30]  # ties
    front = np.random.default_rng(seed).uniform(2, 25, (-(-H // step), -(-W // step))).astype(np.float32)
    got, wanted = empty(H, W), empty(H, W)
    visible_points(xyz, K, front, 0.03, 0.1, step, got)
    twin_of(visible_points)(xyz, K, front, 0.03, 0.1, step, wanted)
    np.testing.assert_array_equal(got.point, wanted.point)
    np.testing.assert_array_equal(got.depth_m, wanted.depth_m)
    assert (got.point >= 0).any()
    assert (got.point < 0).any()


def test_point_on_the_image_border_counts_where_its_centre_rounds_to() -> None:
    camera = np.array([[1.0, 0, 0], [0, 1.0, 0], [0, 0, 1]])
    xyz = np.array([[-0.5, -0.5, 1], [-0.51, 0, 1], [3.49, 1.49, 1], [3.5, 0, 1], [0, 1.5, 1]], np.float32)
    out = empty(2, 4)
    visible_points(xyz, camera, np.full((2, 4), np.inf, np.float32), 0.0, 0.0, 1, out)
    np.testing.assert_array_equal(out.point, [[0, -1, -1, -1], [-1, -1, -1, 2]])


@pytest.mark.parametrize("step", [1, 2, 3])
def test_nearest_of_cell_equals_twin(step: int) -> None:
    rng = np.random.default_rng(step)
    depth_m = rng.integers(1, 6, 60).astype(np.float32)
    point = rng.integers(-60, 60, (H, W)).clip(-1).astype(np.int32)
    points = ZBuffer(np.where(point >= 0, depth_m[point], np.inf).astype(np.float32), point)
    shape = (-(-H // step), -(-W // step))
    got, wanted = empty(*shape), empty(*shape)
    nearest_of_cell(points, step, got)
    twin_of(nearest_of_cell)(points, step, wanted)
    np.testing.assert_array_equal(got.point, wanted.point)
    np.testing.assert_array_equal(got.depth_m, wanted.depth_m)
