"""The buffer that surfels are splatted into."""

from __future__ import annotations

import numpy as np
import pytest

from densegt.kernels.layer_buffer import (
    BEFORE,
    BEST,
    COLUMNS,
    NEAREST,
    SurfaceLayer,
    front_layer,
    next_layer,
    read_layer_buffer,
    weight_per_angle,
    widen_front,
)

from ..twins import twin_of


def random_buffer(width_px: int) -> np.ndarray:
    """Some zeros in each channel; BEST holds small whole numbers bit by bit."""
    rng = np.random.default_rng(width_px)
    shape = (5, -(-width_px // 16), COLUMNS)
    buffer = (rng.uniform(0.01, 2, shape) * (rng.random(shape) < 0.7)).astype(np.float32)
    buffer[:, :, BEST:] = rng.integers(0, 9, (*shape[:2], 16)).astype(np.int32).view(np.float32)
    return buffer


@pytest.mark.parametrize("width_px", [0, 1, 16, 35])
def test_layer_buffer_equals_twins(width_px: int) -> None:
    answers = []
    for widen, read, follow in (
        (widen_front, read_layer_buffer, next_layer),
        tuple(map(twin_of, (widen_front, read_layer_buffer, next_layer))),
    ):
        buffer = random_buffer(width_px)
        farthest = np.full(buffer.shape[:2], 7, np.float32)
        widen(buffer, 0.03, 0.1, farthest)
        widened = buffer.copy()
        layer = SurfaceLayer(*(np.full((5, width_px), 7, t) for t in (np.float32, np.float32, np.int32)))
        read(buffer, np.arange(100, 109, dtype=np.int32), layer)
        follow(buffer, layer.depth_m, 0.03, 0.1)
        # As whole numbers: what BEST holds is no number.
        answers.append((farthest, widened[:, :, :BEST], *layer, buffer))
    for got, wanted in zip(*answers, strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-5)


def test_the_next_layer_begins_behind_the_last() -> None:
    depth_m = np.array([[10.0, np.inf, 4.0]], np.float32)
    buffer = np.full((1, 1, COLUMNS), 7, np.float32)
    next_layer(buffer, depth_m, 0.03, 0.1)
    np.testing.assert_allclose(buffer[0, 0, BEFORE : BEFORE + 4], [1 / 10.4, 0, 1 / 4.22, 0], rtol=1e-6)
    assert not buffer[:, :, NEAREST:].any()


@pytest.mark.parametrize("shape", [(0, 3), (1, 1), (7, 9)])
def test_the_front_of_two_layers_equals_twins(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(len(shape) + shape[1])
    moving = rng.random(5) < 0.4

    def layer() -> SurfaceLayer:
        best = rng.integers(-2, 5, shape).clip(-1).astype(np.int32)
        depth_m = np.where(best >= 0, rng.uniform(2, 30, shape), np.inf).astype(np.float32)
        # Whole numbers, so that one is often just the share of the other.
        return SurfaceLayer(depth_m, np.where(best >= 0, rng.integers(1, 9, shape), 0).astype(np.float32), best)

    first, second = layer(), layer()
    answers = []
    for front, weight in ((front_layer, weight_per_angle), tuple(map(twin_of, (front_layer, weight_per_angle)))):
        out = SurfaceLayer(*(np.full(shape, 7, t) for t in (np.float32, np.float32, np.int32)))
        weights = np.full(shape, 7, np.float32), np.full(shape, 7, np.float32)
        front(first, second, moving, 0.25, out)
        weight(first, moving, *weights)
        answers.append((*out, *weights))
    for got, wanted in zip(*answers, strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-6)
