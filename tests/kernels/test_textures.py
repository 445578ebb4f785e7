"""Kernels of the city's surfaces against their twins."""

from __future__ import annotations

import numpy as np
import pytest

from densegt.kernels.interpolate_corners import interpolate_corners
from densegt.kernels.tiled_noise import tiled_noise

from ..twins import twin_of


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(2)


@pytest.mark.parametrize("count", [0, 1, 500])
def test_noise_is_that_of_its_twin(rng: np.random.Generator, count: int) -> None:
    knots = rng.random((16, 16)).astype(np.float32)
    u, v = rng.uniform(-40, 40, (2, count)).astype(np.float32)
    u[::7], v[::5] = np.round(u[::7]), np.round(v[::5])  # on a knot, and on the seam
    found, expected = np.empty_like(u), np.empty_like(u)
    tiled_noise(u, v, knots, found)
    twin_of(tiled_noise)(u, v, knots, expected)
    np.testing.assert_allclose(found, expected, atol=2e-6)


@pytest.mark.parametrize("depth", [2, 3])
@pytest.mark.parametrize("count", [0, 200])
def test_values_between_corners_are_those_of_its_twin(rng: np.random.Generator, count: int, depth: int) -> None:
    corners = rng.normal(size=(9, 3, depth)).astype(np.float32)
    triangle, bary = rng.integers(0, 9, count), rng.dirichlet([1, 1, 1], count)[:, 1:].astype(np.float32)
    bary[::9] = 0  # on the first corner
    found, expected = (np.empty((count, depth), dtype=np.float32) for _ in range(2))
    interpolate_corners(corners, triangle, bary, found)
    twin_of(interpolate_corners)(corners, triangle, bary, expected)
    np.testing.assert_allclose(found, expected, atol=1e-6)
