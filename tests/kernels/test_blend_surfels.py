"""The weighted mean of surfels on a front."""

from __future__ import annotations

import numpy as np
import pytest

from densegt.kernels.blend_surfels import blend_surfels
from densegt.kernels.frustum import Pinhole
from densegt.kernels.layer_buffer import (
    BEFORE,
    BEST_WEIGHT,
    FARTHEST,
    LANES,
    NEAREST,
    WEIGHT,
    WEIGHTED_DEPTH,
    SurfaceLayer,
    clear_layer_buffer,
    read_layer_buffer,
)

from ..twins import twin_of
from .samples import H, W, assert_mostly_close, every, facing_surfels, project, random_surfels


def blend(kernel, surfels, front: np.ndarray):
    """The buffer after blending on a front, NEAREST of each strip 1/m (H,B,16), and which surfels reach behind it."""
    buffer = clear_layer_buffer(*front.shape[:1], front.shape[1] * LANES)
    buffer[:, ::2, BEFORE:NEAREST] = 1 / 6
    buffer[:, :, FARTHEST:WEIGHTED_DEPTH] = front
    behind = np.ones(len(surfels.rows), bool)
    kernel(surfels, every(surfels), front.max(axis=2), buffer, behind)
    return buffer, behind


@pytest.mark.parametrize(("seed", "n"), [(0, 0), (4, 1), (5, 80), (6, 200)])
def test_blend_equals_twin(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    surfels = project(random_surfels(seed, n), trust=rng.uniform(0.1, 1, n).astype(np.float32))
    front = (1 / rng.uniform(2, 25, (H, W // LANES, LANES))).astype(np.float32)
    (got, behind), (wanted, surely) = (
        blend(kernel, surfels, front) for kernel in (blend_surfels, twin_of(blend_surfels))
    )
    for first in (WEIGHTED_DEPTH, WEIGHT, BEST_WEIGHT):
        assert_mostly_close(got[:, :, first : first + LANES], wanted[:, :, first : first + LANES], share=0.01)
    layers = [SurfaceLayer(*(np.empty((H, W), t) for t in (np.float32, np.float32, np.int32))) for _ in range(2)]
    for buffer, layer in zip((got, wanted), layers, strict=True):
        read_layer_buffer(buffer, surfels.rows, layer)
    assert_mostly_close(layers[0].best, layers[1].best, share=0.01)
    # It may name a few more than those that do.
    assert not (surely & ~behind).any()
    assert n < 200 or (surely.any() and (layers[1].best >= 0).mean() > 0.2)


@pytest.mark.parametrize(("front_m", "behind"), [(10.0, False), (9.8, False), (8.0, True)])
def test_a_surfel_on_the_front_does_not_reach_behind_it(front_m: float, behind: bool) -> None:
    surfels = project(facing_surfels([[0, 0, 10]], [[1, 1, 1, 1]]))
    front = np.full((H, W // LANES, LANES), 1 / (front_m * 1.03 + 0.1), np.float32)
    assert blend(blend_surfels, surfels, front)[1].tolist() == [behind]


def test_blend_between_two_neighbours_is_linear() -> None:
    """Two facing surfels that reach to each other's middle: in between, depth runs linearly from one to the other."""
    camera = Pinhole(np.array([[10.0, 0, 0], [0, 10.0, 0], [0, 0, 1]]), 5, 1)
    surfels = project(facing_surfels([[0, 0, 10.0], [4, 0, 12.0]], [[4.8] * 4] * 2), 99, camera)
    buffer, behind = clear_layer_buffer(1, 5), np.empty(2, bool)
    blend_surfels(surfels, every(surfels), np.zeros((1, 1), np.float32), buffer, behind)
    layer = SurfaceLayer(*(np.empty((1, 5), t) for t in (np.float32, np.float32, np.int32)))
    read_layer_buffer(buffer, surfels.rows, layer)
    a = 1 - np.arange(5) / 4.8
    b = 1 - np.abs(np.arange(5) * 1.2 - 4) / 4.8
    np.testing.assert_allclose(layer.depth_m[0], (10 * a + 12 * b) / (a + b), rtol=1e-5)
