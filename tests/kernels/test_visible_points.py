"""The z-buffer of points."""

from __future__ import annotations

import numpy as np
import pytest

from densegt.kernels.visible_points import ZBuffer, visible_points

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
    got, wanted = ((empty(H, W), empty(*front.shape)) for _ in range(2))
    visible_points(xyz, K, front, 0.03, 0.1, step, *got)
    twin_of(visible_points)(xyz, K, front, 0.03, 0.1, step, *wanted)
    for mine, twins in zip(got, wanted, strict=True):
        np.testing.assert_array_equal(mine.point, twins.point)
        np.testing.assert_array_equal(mine.depth_m, twins.depth_m)
        assert (mine.point >= 0).any()
        assert (mine.point < 0).any()


def test_a_cell_of_one_pixel_may_be_the_pixel_itself() -> None:
    xyz, _, _ = random_surfels(1, 200)
    front = np.full((H, W), 15, np.float32)
    alone, own = empty(H, W), empty(H, W)
    visible_points(xyz, K, front, 0.03, 0.1, 1, alone, alone)
    visible_points(xyz, K, front, 0.03, 0.1, 1, own, empty(H, W))
    np.testing.assert_array_equal(alone.point, own.point)


def test_point_on_the_image_border_counts_where_its_centre_rounds_to() -> None:
    camera = np.array([[1.0, 0, 0], [0, 1.0, 0], [0, 0, 1]])
    xyz = np.array([[-0.5, -0.5, 1], [-0.51, 0, 1], [3.49, 1.49, 1], [3.5, 0, 1], [0, 1.5, 1]], np.float32)
    out = empty(2, 4)
    visible_points(xyz, camera, np.full((2, 4), np.inf, np.float32), 0.0, 0.0, 1, out, out)
    np.testing.assert_array_equal(out.point, [[0, -1, -1, -1], [-1, -1, -1, 2]])
