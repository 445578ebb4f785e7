"""Interpolation between measured pixels."""

from __future__ import annotations

import numpy as np
import pytest

from densegt.kernels.interpolate_between import interpolate_between

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
    gap_px = rng.choice([3, 9], (H, W)).astype(np.float32)
    results = []
    for fill in (interpolate_between, twin_of(interpolate_between)):
        out, nearest = depth.copy(), np.full((H, W), -1, np.int32)
        fill(depth, slope, gap_px, 0.02, out, nearest)
        results.append((out, nearest))
    np.testing.assert_allclose(results[0][0], results[1][0], rtol=1e-5)
    np.testing.assert_array_equal(results[0][1] >= 0, results[1][1] >= 0)
    if 0 < share < 1:
        assert (results[0][1] >= 0).any()


def test_interpolate_is_exact_on_a_plane_and_never_outside_an_outline() -> None:
    v, u = np.mgrid[0:H, 0:W].astype(float)
    plane = (1 / (0.02 + 0.004 * v + 0.001 * u)).astype(np.float32)
    rng = np.random.default_rng(7)
    depth = np.where((rng.random((H, W)) < 0.2) & (u < 16), plane, 0).astype(np.float32)
    slope = np.tile(np.array([0.001, 0.004], np.float32), (H, W, 1))
    out, nearest = depth.copy(), np.full((H, W), -1, np.int32)
    interpolate_between(depth, slope, np.full((H, W), 12, np.float32), 0.01, out, nearest)
    filled = nearest >= 0
    assert filled[:, :16].mean() > 0.5
    np.testing.assert_allclose(out[filled], plane[filled], rtol=1e-3)
    assert not filled[:, 16:].any()
