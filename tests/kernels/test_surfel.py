"""Planes of projected surfels."""

from __future__ import annotations

import numpy as np
import pytest

from densegt.kernels.surfel import SurfelGeometry, project_surfels, surfel_bounds, surfel_normal, surfel_slopes

from ..reference.surfel import on_plane
from ..twins import twin_of
from .samples import CAMERA, K, project, random_surfels

SIZES = [(0, 0), (1, 1), (2, 60), (3, 200)]


@pytest.mark.parametrize(("seed", "n"), SIZES)
def test_project_equals_twin(seed: int, n: int) -> None:
    surfels = random_surfels(seed, n)
    rng = np.random.default_rng(seed)
    factors = {
        "trust": rng.uniform(0.1, 1, n).astype(np.float32),
        "share": rng.choice([0, 0.5, 1], n).astype(np.float32),
    }
    got = project(surfels, **factors)
    wanted = project(surfels, kernel=twin_of(project_surfels), **factors)
    np.testing.assert_array_equal(got.rows, wanted.rows)
    np.testing.assert_array_equal(got.bounds, wanted.bounds)
    scale = np.abs(wanted.planes[:, :9]).max(axis=1, initial=0)[:, None]
    np.testing.assert_allclose(got.planes[:, :9] / scale, wanted.planes[:, :9] / scale, atol=1e-4)
    np.testing.assert_allclose(got.planes[:, 9:], wanted.planes[:, 9:], rtol=1e-4)
    assert (factors["share"][got.rows] > 0).all()
    assert len(got.rows) > n / 4 or n < 2


@pytest.mark.parametrize(("seed", "n"), SIZES)
def test_planes_tell_where_rays_meet_surfels(seed: int, n: int) -> None:
    """At every corner of the bounds inverse depth and both coordinates are what solving for the ray's end gives."""
    surfels = random_surfels(seed, n)
    for plane, (row_lo, row_hi, col_lo, col_hi), i in zip(*project(surfels), strict=True):
        for row, col in ((row_lo, col_lo), (row_hi, col_lo), (row_lo, col_hi), (row_hi, col_hi)):
            got = plane[[0, 3, 6]] + plane[[1, 4, 7]] * (col - col_lo) + plane[[2, 5, 8]] * (row - row_lo)
            wanted = on_plane(surfels.xyz_cam[i], surfels.tangents[i], K, row, col)
            np.testing.assert_allclose(got, wanted, rtol=2e-3, atol=1e-4 * np.abs(plane[:9]).max())


def test_bounds_and_normal_equal_twins() -> None:
    surfels = random_surfels(4, 300)
    for p, tangents, half_m in zip(*surfels, strict=True):
        assert surfel_bounds(p, tangents, half_m, 9.0, CAMERA) == twin_of(surfel_bounds)(
            p, tangents, half_m, 9.0, CAMERA
        )
        np.testing.assert_allclose(surfel_normal(tangents), twin_of(surfel_normal)(tangents), atol=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_slopes_equal_twin(seed: int) -> None:
    surfels = random_surfels(seed, 50)
    surfel = np.random.default_rng(seed).integers(-5, 50, (9, 11)).clip(-1).astype(np.int32)
    got, wanted = np.full((9, 11, 2), 7, np.float32), np.full((9, 11, 2), 7, np.float32)
    surfel_slopes(surfel, *surfels[:2], K, got)
    twin_of(surfel_slopes)(surfel, *surfels[:2], K, wanted)
    np.testing.assert_allclose(got, wanted, rtol=1e-3, atol=1e-5 * np.abs(wanted).max())


def test_slopes_are_known_without_reach_but_not_edge_on() -> None:
    xyz = np.array([[4, 1, 12], [1, 1, 8], [0, 0, 5], [0, 0, 5]], np.float32)
    wall = np.array([[2, 0, 1], [0, 1, 0]]) / np.sqrt([[5], [1]])  # it recedes to the right: z = 10 + x / 2
    edge_on = np.array([xyz[1] / np.linalg.norm(xyz[1]), [1, 0, 0]])
    tangents = np.array([wall, edge_on, [[1, 0, 0], [1, 0, 0]], wall], np.float32)
    half_m = np.array([[0, 0, 0, 0], [1, 1, 1, 1], [1, 1, 1, 1], [0, 0, 1, 1]], np.float32)
    slopes = np.full((1, 4, 2), 77, np.float32)
    surfel_slopes(np.arange(4, dtype=np.int32)[None], xyz, tangents, K, slopes)
    # 1/z = 0.1 - 0.05 x/z
    np.testing.assert_allclose(slopes[0, 0], [-0.05 / K[0, 0], 0], rtol=1e-5)
    np.testing.assert_allclose(slopes[0, 3], [-0.5 / (5 * K[0, 0]), 0], rtol=1e-5)
    assert not slopes[0, 1:3].any()
    assert len(project(SurfelGeometry(xyz, tangents, half_m)).rows) == 0


def test_degenerate_and_nan_surfels_cover_nothing() -> None:
    xyz = np.array([[0, 0, 5], [0, 0, 5], [np.nan, 0, 5], [0, 0, np.nan]], np.float32)
    facing = [[1, 0, 0], [0, 1, 0]]
    tangents = np.array([[[1, 0, 0], [1, 0, 0]], [[1, 0, 0], [0, 0, 1]], facing, facing], np.float32)
    assert len(project(SurfelGeometry(xyz, tangents, np.ones((4, 4), np.float32))).rows) == 0


def test_a_surfel_kept_with_probability_a_half_weighs_twice() -> None:
    surfels = random_surfels(3, 40)
    share = np.where(np.arange(40) % 2 == 0, 0, 0.5).astype(np.float32)
    whole, part = project(surfels), project(surfels, share=share)
    odd = whole.rows % 2 == 1
    np.testing.assert_array_equal(part.rows, whole.rows[odd])
    np.testing.assert_allclose(part.planes[:, 13], 2 * whole.planes[odd, 13], rtol=1e-6)
    assert len(part.rows)
