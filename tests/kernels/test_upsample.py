"""From the working grid to the image."""

from __future__ import annotations

import numpy as np
import pytest

from densegt.kernels.interpolate_between import InterpolatedDepth
from densegt.kernels.upsample import DepthLayers, upsample
from densegt.kernels.visible_points import ZBuffer

from ..twins import twin_of
from .samples import H, W


def blank() -> DepthLayers:
    return DepthLayers._make(np.full((H, W), 7, t) for t in (np.float32, np.uint8, np.float32, np.float32))


def interpolated(depth_m: np.ndarray, surfel: np.ndarray, slopes: np.ndarray) -> InterpolatedDepth:
    nowhere = np.zeros(depth_m.shape, bool)
    return InterpolatedDepth(depth_m.astype(np.float32), surfel, nowhere, nowhere, slopes)


@pytest.mark.parametrize("step", [1, 2, 3])
def test_upsample_equals_twin(step: int) -> None:
    rng = np.random.default_rng(step)
    shape = (-(-H // step), -(-W // step))
    depth_m = np.where(rng.random(shape) < 0.8, rng.uniform(5, 6, shape), 0)
    surfel = rng.integers(-10, 60, shape).clip(-1).astype(np.int32)
    grid = interpolated(depth_m, surfel, rng.normal(0, 0.01, (*shape, 2)).astype(np.float32))
    point = rng.integers(-60, 60, (H, W)).clip(-1).astype(np.int32)
    points = ZBuffer(np.where(point >= 0, rng.uniform(5, 6, 60)[point], np.inf).astype(np.float32), point)
    confidence = rng.random(shape).astype(np.float32)
    source, age_s = rng.integers(1, 4, 60).astype(np.uint8), rng.normal(size=60).astype(np.float32)
    got, wanted = blank(), blank()
    upsample(grid, confidence, step, 0.03, points, source, age_s, 4, got)
    twin_of(upsample)(grid, confidence, step, 0.03, points, source, age_s, 4, wanted)
    for mine, twins in zip(got, wanted, strict=True):
        np.testing.assert_allclose(mine, twins, rtol=1e-5)
    assert len(np.unique(got.source)) == 5


def test_upsampled_plane_is_exact() -> None:
    """Cells with a plane's depth at their middles and its slopes give it back at every pixel."""
    v, u = np.mgrid[0:H, 0:W].astype(float)
    plane = 1 / (0.05 + 0.0004 * v + 0.0001 * u)
    middles = 1 / (0.05 + 0.0004 * (v[::2, ::2] + 0.5) + 0.0001 * (u[::2, ::2] + 0.5))
    slopes = np.tile(np.array([0.0002, 0.0008], np.float32), (*middles.shape, 1))  # by cells of two pixels
    grid = interpolated(middles, np.zeros(middles.shape, np.int32), slopes)
    nothing = ZBuffer(np.full((H, W), np.inf, np.float32), np.full((H, W), -1, np.int32))
    out, one = blank(), np.ones(1, np.float32)
    upsample(grid, np.ones(middles.shape, np.float32), 2, 0.03, nothing, np.ones(1, np.uint8), one, 4, out)
    np.testing.assert_allclose(out.depth_m, plane, rtol=1e-5)
    assert (out.source == 4).all()
