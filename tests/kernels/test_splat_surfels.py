"""The nearest surfel at each pixel."""

from __future__ import annotations

import numpy as np
import pytest

from densegt.kernels.frustum import Pinhole
from densegt.kernels.layer_buffer import BEFORE, NEAREST, WEIGHTED_DEPTH, clear_layer_buffer
from densegt.kernels.splat_surfels import splat_surfels

from ..twins import twin_of
from .samples import H, W, assert_mostly_close, every, facing_surfels, project, random_surfels


def open_buffer(seed: int) -> np.ndarray:
    """Open from nowhere, from 6 m or from 0 m on, by columns."""
    buffer = clear_layer_buffer(H, W)
    buffer[:, :, BEFORE:NEAREST] = np.random.default_rng(seed).choice([0, 1 / 6, np.inf], 16, p=[0.1, 0.3, 0.6])
    return buffer


@pytest.mark.parametrize(("seed", "n"), [(0, 0), (1, 1), (2, 60), (3, 200)])
def test_splat_equals_twin(seed: int, n: int) -> None:
    surfels = project(random_surfels(seed, n))
    got, wanted = open_buffer(seed), open_buffer(seed)
    splat_surfels(surfels, every(surfels)[::2], got)
    twin_of(splat_surfels)(surfels, every(surfels)[::2], wanted)
    assert_mostly_close(got, wanted, share=0.001)
    if n == 200:
        assert (wanted[:, :, NEAREST:WEIGHTED_DEPTH] > 0).mean() > 0.3


def test_splat_of_a_facing_square_is_its_pixels_at_its_depth() -> None:
    camera = Pinhole(np.array([[10.0, 0, 16], [0, 10.0, 12], [0, 0, 1]]), W, H)
    surfels = project(facing_surfels([[0, 0, 10]], [[2.1, 1.1, 3.1, 0.1]]), 99, camera)
    buffer = clear_layer_buffer(H, W)
    splat_surfels(surfels, every(surfels), buffer)
    wanted = np.zeros((H, W), np.float32)
    wanted[12:16, 15:19] = 1 / 10
    np.testing.assert_allclose(buffer[:, :, NEAREST:WEIGHTED_DEPTH].reshape(H, -1)[:, :W], wanted, rtol=1e-6)
