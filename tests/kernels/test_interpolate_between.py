"""Interpolation between measured pixels."""

from __future__ import annotations

import numpy as np
import pytest

from densegt.kernels.interpolate_between import InterpolatedDepth, interpolate_between

from ..twins import twin_of
from .samples import H, W


@pytest.mark.parametrize(("seed", "share"), [(0, 0.0), (1, 0.05), (2, 0.3), (3, 1.0)])
def test_interpolate_equals_twin(seed: int, share: float) -> None:
    rng = np.random.default_rng(seed)
    v, u = np.mgrid[0:H, 0:W]
    plane = 1 / (0.02 + 0.004 * v + 0.001 * u)
    depth = np.where(rng.random((H, W)) < share, np.where(u > 20, plane, 6.0), 0).astype(np.float32)
    slope = np.zeros((H, W, 2), np.float32)
    slope[:, 21:] = [0.001, 0.004]
    # Two lidars' points, of unlike ring gaps.
    surfel, gap_px = rng.integers(0, 2, (H, W)).astype(np.int32), np.array([3, 9], np.float32)
    results = []
    for fill in (interpolate_between, twin_of(interpolate_between)):
        out = image(depth, surfel.copy(), slope.copy())
        fill(depth, gap_px, 0.02, out)
        results.append(out)
    got, wanted = results
    np.testing.assert_allclose(got.depth_m, wanted.depth_m, rtol=1e-5)
    np.testing.assert_array_equal(got.between, wanted.between)
    np.testing.assert_array_equal(got.surfel, wanted.surfel)
    np.testing.assert_array_equal(got.inverse_slope, wanted.inverse_slope)
    if 0 < share < 1:
        assert got.between.any()


@pytest.mark.parametrize("shape", [(0, 0), (1, 1), (1, 9), (9, 1), (2, 2)])
def test_hardly_any_image(shape: tuple[int, int]) -> None:
    depth = np.zeros(shape, np.float32)
    depth[:, ::4] = 7
    depth[::4] = 7
    got, wanted = (image(depth, np.zeros(shape, np.int32), np.zeros((*shape, 2), np.float32)) for _ in range(2))
    interpolate_between(depth, np.array([9], np.float32), 0.02, got)
    twin_of(interpolate_between)(depth, np.array([9], np.float32), 0.02, wanted)
    np.testing.assert_allclose(got.depth_m, wanted.depth_m)


def image(depth_m: np.ndarray, surfel: np.ndarray, slope: np.ndarray) -> InterpolatedDepth:
    nowhere = np.zeros(depth_m.shape, bool)
    return InterpolatedDepth(depth_m.copy(), surfel, nowhere, nowhere.copy(), slope)


def test_interpolate_is_exact_on_a_plane_and_never_outside_an_outline() -> None:
    v, u = np.mgrid[0:H, 0:W].astype(float)
    plane = (1 / (0.02 + 0.004 * v + 0.001 * u)).astype(np.float32)
    rng = np.random.default_rng(7)
    depth = np.where((rng.random((H, W)) < 0.2) & (u < 16), plane, 0).astype(np.float32)
    slope = np.tile(np.array([0.001, 0.004], np.float32), (H, W, 1))
    out = image(depth, np.zeros((H, W), np.int32), slope)
    interpolate_between(depth, np.array([12], np.float32), 0.01, out)
    filled = out.between
    assert filled[:, :16].mean() > 0.5
    np.testing.assert_allclose(out.depth_m[filled], plane[filled], rtol=1e-3)
    assert not filled[:, 16:].any()
