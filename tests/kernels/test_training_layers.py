"""What is read of a store for training, against the twins."""

from __future__ import annotations

import numpy as np
import pytest

from densegt.kernels.known_layers import known_layers
from densegt.kernels.nearest_layers import nearest_layers

from ..twins import twin_of


@pytest.mark.parametrize("excluded", [-1, 5])
@pytest.mark.parametrize("size", [0, 1, 500])
def test_known_layers_equal_twin(size: int, excluded: int) -> None:
    rng = np.random.default_rng(size)
    depth_m = rng.choice([0, np.nan, -1, 7.5, 80], size).astype(np.float32)
    source, confidence = (rng.integers(0, most, size).astype(np.uint8) for most in (7, 256))
    answers = []
    for kernel in (known_layers, twin_of(known_layers)):
        out = [np.full(size, 7, dtype) for dtype in (np.float32, np.uint8, np.float32)]
        kernel(depth_m, source, confidence, excluded, *out)
        answers.append(out)
    for got, wanted in zip(*answers, strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-6)


@pytest.mark.parametrize("shape", [(0, 3), (1, 1), (12, 17)])
def test_nearest_layers_equal_twin(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(shape[1])
    layers = (
        rng.random((20, 30), np.float32),
        rng.integers(0, 7, (20, 30), np.uint8),
        rng.random((20, 30), np.float32),
    )
    layers[0][3:6] = np.nan
    for _ in range(5):
        A = np.eye(3)
        A[:2] = rng.normal(0, 1, (2, 3))
        A[0, 0], A[1, 1] = 2, 1.5
        answers = []
        for kernel in (nearest_layers, twin_of(nearest_layers)):
            out = [np.full(shape, 9, layer.dtype) for layer in layers]
            kernel(A, *layers, *out)
            answers.append(out)
        for got, wanted in zip(*answers, strict=True):
            np.testing.assert_array_equal(got, wanted)
