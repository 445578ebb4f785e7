"""Rays near a sphere: those of the reference implementation."""

from __future__ import annotations

import numpy as np
import pytest

from densegt.kernels.rays_near_sphere import MovingSphere, TimedRays, rays_near_sphere

from ..twins import twin_of


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(2)


def _rays(rng: np.random.Generator, count: int) -> TimedRays:
    way = rng.normal(size=(count, 3))
    way /= np.linalg.norm(way, axis=1, keepdims=True)
    range_m = np.where(rng.random(count) < 0.3, np.inf, rng.uniform(0, 12, count))
    origin = rng.normal(size=(count, 3)).astype(np.float32)
    return TimedRays(origin, way.astype(np.float32), rng.integers(0, 5, count), range_m.astype(np.float32))


def _found(kernel, rays: TimedRays, bundle: list[int], sphere: MovingSphere) -> list[int]:  # type: ignore[no-untyped-def]
    out = np.full(len(bundle) * 8, -1, dtype=np.int64)
    count = kernel(rays, np.array(bundle, dtype=np.int64), 8, sphere, out)
    return [int(i) for i in out[:count]]


@pytest.mark.parametrize("count", [0, 1, 8, 203])
def test_as_the_twin(rng: np.random.Generator, count: int) -> None:
    rays = _rays(rng, count)
    every = list(range(-(-count // 8)))
    for radius in (0.5, 2.0, 6.0):
        middle = np.array([3.0, 0, 0]) + 0.3 * rng.normal(size=(5, 3))
        sphere = MovingSphere(middle.astype(np.float32), np.array([radius], dtype=np.float32))
        for bundle in (every, every[1::2], []):
            found = _found(rays_near_sphere, rays, bundle, sphere)
            assert found == _found(twin_of(rays_near_sphere), rays, bundle, sphere)
            assert count < 203 or bundle != every or 0 < len(found) < count or radius == 6.0  # all begin in that one


def test_a_ray_that_ends_before_or_looks_away_or_is_unknown_is_not_near() -> None:
    origin = np.zeros((4, 3), dtype=np.float32)
    way = np.array([[1, 0, 0], [1, 0, 0], [-1, 0, 0], [np.nan, 0, 0]], dtype=np.float32)
    rays = TimedRays(origin, way, np.zeros(4, np.int64), np.array([9, 3, 9, 9], dtype=np.float32))
    sphere = MovingSphere(np.array([[5, 0, 0]], dtype=np.float32), np.array([1], dtype=np.float32))
    assert _found(rays_near_sphere, rays, [0], sphere) == [0]
