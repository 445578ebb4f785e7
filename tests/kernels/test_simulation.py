"""Kernels of the simulator."""

from __future__ import annotations

import numpy as np
import pytest

from densegt.kernels import raycast_ground
from densegt.kernels.hashing import lattice, value_noise
from densegt.kernels.lidar_return import reflectivities
from densegt.kernels.raycast import GROUND_PART, NO_PART, Hits, Surfaces
from densegt.kernels.shadow import sunlight
from densegt.simulate.simple.ground import make_ground

from ..twins import twin_of


def test_hashing_equals_twins() -> None:
    rng = np.random.default_rng(0)
    for i, j, k, seed in rng.integers(-1000, 1000, (200, 4)).tolist():
        assert lattice(i, j, k, seed) == twin_of(lattice)(i, j, k, seed)
    for x, y, z in [*rng.uniform(-50, 50, (200, 3)).tolist(), (0.0, -1.0, 2.0), (0.5, 3.0, 0.0)]:
        assert value_noise(x, y, z, 3) == pytest.approx(twin_of(value_noise)(x, y, z, 3), abs=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_ground_equals_twins(seed: int) -> None:
    rng, ground = np.random.default_rng(seed), make_ground(np.random.default_rng(seed))
    g = ground.vector
    # Most of them on the road and about its edges, some about the cross-street.
    x = np.concatenate([rng.uniform(-60, 60, 800), g[7] + rng.uniform(-9, 9, 400)])
    y = ground.centre(x) + rng.uniform(-16, 16, 1200)
    materials = set()
    for at in zip(x, y, strict=True):
        for kernel in (raycast_ground.base_height, raycast_ground.height, raycast_ground.ground_normal):
            np.testing.assert_allclose(kernel(*at, g), twin_of(kernel)(*at, g), atol=1e-8)
        assert raycast_ground.centre(at[0], g) == pytest.approx(twin_of(raycast_ground.centre)(at[0], g))
        kerb = raycast_ground.kerb_height
        assert kerb(*at, g, 0.5) == pytest.approx(twin_of(kerb)(*at, g, 0.5), abs=1e-12)
        materials.add(raycast_ground.ground_material(*at, ground.road))
        assert raycast_ground.ground_material(*at, ground.road) == twin_of(raycast_ground.ground_material)(
            *at, ground.road
        )
    assert materials == {0, 1, 2, 3, 4}
    got, wanted = np.empty(1200), np.empty(1200)
    raycast_ground.heights(np.column_stack([x, y]), g, 0.5, got)
    twin_of(raycast_ground.heights)(np.column_stack([x, y]), g, 0.5, wanted)
    np.testing.assert_allclose(got, wanted, atol=1e-9)


def test_sunlight_equals_twin() -> None:
    """Points before, on and behind a lit wall at 10 m, some beside the map."""
    rng = np.random.default_rng(1)
    xyz, normal = rng.uniform([-3, -3, 8], [3, 3, 12], (600, 3)), rng.normal(size=(600, 3)).astype(np.float32)
    range_m = rng.choice([0.0, 9.0, 10.0, 11.0], (20, 20))
    K = np.array([[40.0, 0, 9.5], [0, 40, 9.5], [0, 0, 1]])
    got, wanted = np.full(600, 7, np.float32), np.full(600, 9, np.float32)
    sunlight(xyz, normal, range_m, np.eye(4), K, got)
    twin_of(sunlight)(xyz, normal, range_m, np.eye(4), K, wanted)
    np.testing.assert_allclose(got, wanted, atol=1e-5)
    assert ((got > 0.05) & (got < 0.95)).any()


def test_reflectivities_equal_twin() -> None:
    rng, ground = np.random.default_rng(2), make_ground(np.random.default_rng(2))
    n, shapes = 300, 6
    part = rng.integers(GROUND_PART, 4, n).astype(np.int32)
    hits = Hits(
        range_m=np.where(part == NO_PART, 0, 9.0),
        part=part,
        shape=np.where(part >= 0, rng.integers(0, shapes, n), -1).astype(np.int32),
        detail=rng.integers(0, 4, n).astype(np.int32),
        normal=np.zeros((n, 3), np.float32),
        local=rng.uniform(-3, 3, (n, 3)).astype(np.float32),
    )
    surfaces = Surfaces(rng.integers(0, 15, shapes), rng.random((shapes, 3)), rng.random(shapes))
    param = np.tile([3.5, 2.5, 2.6, 0.8, 0.8, 0.4, 0.4, 0.15, 0.2], (shapes, 1))
    got, wanted = np.full(n, 7.0), np.full(n, 9.0)
    for kernel, out in ((reflectivities, got), (twin_of(reflectivities), wanted)):
        kernel(hits, surfaces, param, np.arange(15) / 15, 0.3, ground.road, out)
    np.testing.assert_allclose(got, wanted)
    assert len(np.unique(got)) > 6
