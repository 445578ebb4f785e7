"""Points over surface."""

from __future__ import annotations

import numpy as np
import pytest

from densegt.kernels.compose import clear_pixels, compose_layers
from densegt.kernels.interpolate_between import InterpolatedDepth
from densegt.kernels.layer_buffer import SurfaceLayer
from densegt.kernels.visible_points import ZBuffer

from ..twins import twin_of
from .samples import H, W, random_surfels


@pytest.mark.parametrize("seed", range(3))
def test_compose_equals_twin(seed: int) -> None:
    rng = np.random.default_rng(seed)
    xyz, _, _ = random_surfels(seed, 50)
    point = rng.integers(-40, 50, (H, W)).clip(-1).astype(np.int32)
    best = rng.integers(-40, 50, (H, W)).clip(-1).astype(np.int32)
    surface_m = np.where(best >= 0, rng.uniform(1, 20, (H, W)), np.inf).astype(np.float32)
    surface = SurfaceLayer(surface_m, np.ones((H, W), np.float32), best)
    points = ZBuffer(np.where(point >= 0, xyz[point, 2], np.inf).astype(np.float32), point)
    results = []
    for compose in (compose_layers, twin_of(compose_layers)):
        out = [np.full((H, W), 7, t) for t in (np.float32, np.int32, np.bool_)]
        compose(surface, points, *out)
        results.append(out)
    for got, wanted in zip(*results, strict=True):
        np.testing.assert_array_equal(got, wanted)


def test_cleared_pixels_equal_twin() -> None:
    rng = np.random.default_rng(0)
    which, results = rng.random((H, W)) < 0.3, []
    for clear in (clear_pixels, twin_of(clear_pixels)):
        rng = np.random.default_rng(1)
        depth_m, slope = (rng.uniform(1, 9, (H, W, *more)).astype(np.float32) for more in ((), (2,)))
        surfel = rng.integers(0, 50, (H, W)).astype(np.int32)
        out = InterpolatedDepth(depth_m, surfel, surfel > 20, surfel < 0, slope)
        clear(which, out)
        results.append(out)
    for got, wanted in zip(*results, strict=True):
        np.testing.assert_array_equal(got, wanted)
