"""The rendering kernels against their twins: random, empty, border, ties, behind the camera, NaN."""

from __future__ import annotations

import numpy as np
import pytest

from densegt.kernels.blend_patches import blend_patches
from densegt.kernels.fill_between import fill_between
from densegt.kernels.inverse_slopes import inverse_slopes
from densegt.kernels.ring_neighbours import ring_neighbours
from densegt.kernels.splat_patches import splat_patches
from densegt.kernels.view import move_patches, select_in_view
from densegt.kernels.visible_points import visible_points

from .. import reference

H, W = 24, 32
K = np.array([[20.0, 0, 15.3], [0, 21.0, 11.7], [0, 0, 1]])


def patches(seed: int, n: int):
    rng = np.random.default_rng(seed)
    z = rng.uniform(0.5, 20, n)
    xyz = np.stack([rng.uniform(-1.2, 1.2, n) * z, rng.uniform(-0.9, 0.9, n) * z, z], axis=1).astype(np.float32)
    tangents = rng.normal(size=(n, 2, 3))
    tangents /= np.linalg.norm(tangents, axis=2, keepdims=True)
    half_m = rng.uniform(0.05, 1.5, (n, 4))
    return xyz, tangents.astype(np.float32), half_m.astype(np.float32)


def agree(got: np.ndarray, wanted: np.ndarray, share: float = 0.0) -> None:
    """Equal but for at most `share` of the pixels, where a border falls on a pixel's centre in one precision only."""
    close = np.isclose(got, wanted, rtol=2e-4, atol=1e-4) | (got == wanted)
    assert (~close).mean() <= share, (~close).sum()


@pytest.mark.parametrize(("seed", "n"), [(0, 0), (1, 1), (2, 60), (3, 200)])
def test_splat_equals_twin(seed: int, n: int) -> None:
    xyz, tangents, half_m = patches(seed, n)
    got, wanted = np.full((H, W), np.inf, np.float32), np.full((H, W), np.inf, np.float32)
    beyond = np.where(np.arange(W) % 5 == 0, 6.0, 0.0).astype(np.float32) * np.ones((H, 1), np.float32)
    splat_patches(xyz, tangents, half_m, K, np.full(n, 9, np.float32), beyond, got)
    reference.splat_patches(xyz, tangents, half_m, K, np.full(n, 9, np.float32), beyond, wanted)
    if n == 200:
        assert np.isfinite(wanted).mean() > 0.3
    agree(got, wanted, share=0.005)


def test_splat_of_a_facing_square_is_its_pixels_at_its_depth() -> None:
    xyz = np.array([[0, 0, 10]], np.float32)
    tangents = np.array([[[1, 0, 0], [0, 1, 0]]], np.float32)
    out = np.full((H, W), np.inf, np.float32)
    camera = np.array([[10.0, 0, 16], [0, 10.0, 12], [0, 0, 1]])
    splat_patches(
        xyz,
        tangents,
        np.array([[2.1, 1.1, 3.1, 0.1]], np.float32),
        camera,
        np.full(1, 99, np.float32),
        np.zeros((H, W), np.float32),
        out,
    )
    wanted = np.full((H, W), np.inf, np.float32)
    wanted[12:16, 15:19] = 10
    np.testing.assert_array_equal(out, wanted)


def test_splat_ignores_degenerate_and_nan_patches() -> None:
    xyz = np.array([[0, 0, 5], [0, 0, 5], [np.nan, 0, 5]], np.float32)
    tangents = np.array([[[1, 0, 0], [1, 0, 0]], [[1, 0, 0], [0, 0, 1]], [[1, 0, 0], [0, 1, 0]]], np.float32)
    out = np.full((H, W), np.inf, np.float32)
    splat_patches(
        xyz, tangents, np.ones((3, 4), np.float32), K, np.full(3, 9, np.float32), np.zeros((H, W), np.float32), out
    )
    assert np.isfinite(out).sum() == 0


@pytest.mark.parametrize(("seed", "n"), [(0, 0), (4, 1), (5, 80), (6, 200)])
def test_blend_equals_twin(seed: int, n: int) -> None:
    xyz, tangents, half_m = patches(seed, n)
    beyond = np.where(np.arange(W) % 5 == 0, 6.0, 0.0).astype(np.float32) * np.ones((H, 1), np.float32)
    front = np.random.default_rng(seed).uniform(2, 25, (H, W)).astype(np.float32)
    trust = np.random.default_rng(seed).uniform(0.1, 1, n).astype(np.float32)
    results = []
    for blend in (blend_patches, reference.blend_patches):
        weighted, weight = np.zeros((H, W), np.float32), np.zeros((H, W), np.float32)
        best = np.full((H, W), -1, np.int32)
        blend(
            xyz, tangents, half_m, trust, K, np.full(n, 9, np.float32), beyond, front, 0.03, 0.1, weighted, weight, best
        )
        results.append((weighted, weight, best))
    for got, wanted in zip(*results, strict=True):
        agree(got, wanted, share=0.01)


def test_blend_between_two_neighbours_is_linear() -> None:
    """Two facing patches that reach to each other's middle: in between, depth runs linearly from one to the other."""
    camera = np.array([[10.0, 0, 0], [0, 10.0, 0], [0, 0, 1]])
    xyz = np.array([[0, 0, 10.0], [4, 0, 12.0]], np.float32)
    tangents = np.tile(np.eye(3, dtype=np.float32)[:2], (2, 1, 1))
    weighted, weight, best = np.zeros((1, 5), np.float32), np.zeros((1, 5), np.float32), np.full((1, 5), -1, np.int32)
    front = np.full((1, 5), 99, np.float32)
    half = np.full((2, 4), 4.8, np.float32)
    blend_patches(
        xyz,
        tangents,
        half,
        np.ones(2, np.float32),
        camera,
        np.full(2, 99, np.float32),
        np.zeros((1, 5), np.float32),
        front,
        0.0,
        0.0,
        weighted,
        weight,
        best,
    )
    a = 1 - np.arange(5) / 4.8
    b = 1 - np.abs(np.arange(5) * 1.2 - 4) / 4.8
    np.testing.assert_allclose(weighted[0] / weight[0], (10 * a + 12 * b) / (a + b), rtol=1e-5)


@pytest.mark.parametrize(("seed", "n"), [(0, 0), (7, 1), (8, 200)])
def test_inverse_slopes_equal_twin(seed: int, n: int) -> None:
    xyz, tangents, _ = patches(seed, n)
    if n > 1:
        tangents[0] = [xyz[0] / np.linalg.norm(xyz[0]), [1, 0, 0]]  # edge-on
        tangents[1, 1] = tangents[1, 0]  # without a plane
        xyz[2] = np.nan
    row_of = np.random.default_rng(seed).integers(-1, n, (H, W)).astype(np.int32)
    if n > 1:
        row_of[0, :3] = [0, 1, 2]
    got, wanted = (np.full((H, W, 2), 77, np.float32) for _ in range(2))
    inverse_slopes(xyz, tangents, K, row_of, got)
    known = row_of != 2  # the twin would spread NaN
    reference.inverse_slopes(xyz, tangents, K, np.where(known, row_of, -1), wanted)
    np.testing.assert_allclose(got, wanted, rtol=1e-4, atol=1e-7)
    assert not got[row_of < 0].any()
    assert got.any() == (n > 0)
    if n > 1:
        assert not got[0, :3].any()


def test_inverse_slopes_by_hand() -> None:
    """A wall that recedes to the right, z = 10 + x / 2: 1/z = 0.1 - 0.05 x/z."""
    xyz = np.array([[4, 1, 12]], np.float32)
    tangents = np.array([[[2, 0, 1], [0, 1, 0]]], np.float32) / np.sqrt(np.array([[[5], [1]]], np.float32))
    out = np.empty((1, 2, 2), np.float32)
    inverse_slopes(xyz, tangents, K, np.array([[0, -1]], np.int32), out)
    np.testing.assert_allclose(out, [[[-0.05 / K[0, 0], 0], [0, 0]]], rtol=1e-6)


@pytest.mark.parametrize("seed", range(4))
def test_visible_points_equal_twin(seed: int) -> None:
    xyz, _, _ = patches(seed, 400)
    xyz[:3] = [[0, 0, -4], [np.nan, 0, 3], [0, 0, 0]]
    xyz[10:20] = xyz[20:30]  # ties
    front = np.random.default_rng(seed).uniform(2, 25, (H, W)).astype(np.float32)
    results = []
    for choose in (visible_points, reference.visible_points):
        shown = np.full((H, W), -1, np.int32)
        choose(xyz, K, front, 0.03, 0.1, shown)
        results.append(shown)
    np.testing.assert_array_equal(*results)
    assert (results[0] >= 0).any()
    assert (results[0] < 0).any()


def test_point_on_the_image_border_counts_where_its_centre_rounds_to() -> None:
    camera = np.array([[1.0, 0, 0], [0, 1.0, 0], [0, 0, 1]])
    xyz = np.array([[-0.5, -0.5, 1], [-0.51, 0, 1], [3.49, 1.49, 1], [3.5, 0, 1], [0, 1.5, 1]], np.float32)
    shown = np.full((2, 4), -1, np.int32)
    visible_points(xyz, camera, np.full((2, 4), np.inf, np.float32), 0.0, 0.0, shown)
    np.testing.assert_array_equal(shown, [[0, -1, -1, -1], [-1, -1, -1, 2]])


@pytest.mark.parametrize(("seed", "share"), [(0, 0.0), (1, 0.05), (2, 0.3), (3, 1.0)])
def test_fill_equals_twin(seed: int, share: float) -> None:
    rng = np.random.default_rng(seed)
    v, u = np.mgrid[0:H, 0:W]
    plane = 1 / (0.02 + 0.004 * v + 0.001 * u)
    depth = np.where(rng.random((H, W)) < share, np.where(u > 20, plane, 6.0), 0).astype(np.float32)
    slope = np.zeros((H, W, 2), np.float32)
    slope[:, 21:] = [0.001, 0.004]
    results = []
    for fill in (fill_between, reference.fill_between):
        out, nearest = depth.copy(), np.full((H, W), -1, np.int32)
        fill(depth, slope, 9, 0.02, out, nearest)
        results.append((out, nearest))
    np.testing.assert_allclose(results[0][0], results[1][0], rtol=1e-5)
    np.testing.assert_array_equal(results[0][1] >= 0, results[1][1] >= 0)
    if 0 < share < 1:
        assert (results[0][1] >= 0).any()


def test_fill_is_exact_on_a_plane_and_never_outside_an_outline() -> None:
    v, u = np.mgrid[0:H, 0:W].astype(float)
    plane = (1 / (0.02 + 0.004 * v + 0.001 * u)).astype(np.float32)
    rng = np.random.default_rng(7)
    depth = np.where((rng.random((H, W)) < 0.2) & (u < 16), plane, 0).astype(np.float32)
    slope = np.tile(np.array([0.001, 0.004], np.float32), (H, W, 1))
    out, nearest = depth.copy(), np.full((H, W), -1, np.int32)
    fill_between(depth, slope, 12, 0.01, out, nearest)
    filled = nearest >= 0
    assert filled[:, :16].mean() > 0.5
    np.testing.assert_allclose(out[filled], plane[filled], rtol=1e-3)
    assert not filled[:, 16:].any()


@pytest.mark.parametrize("seed", range(3))
def test_select_and_move_equal_twins(seed: int) -> None:
    rng = np.random.default_rng(seed)
    xyz = rng.normal(0, 10, (500, 3)).astype(np.float32)
    xyz[:2] = np.nan
    T = np.eye(4)
    T[:3, :3] = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    T[:3, 3] = rng.normal(size=3)
    rows, wanted = np.empty(500, np.int32), np.empty(500, np.int32)
    n = select_in_view(xyz, T, K, W, H, 4.0, 0.3, 15.0, rows)
    assert n == reference.select_in_view(xyz, T, K, W, H, 4.0, 0.3, 15.0, wanted)
    assert 0 < n < 500
    np.testing.assert_array_equal(rows[:n], wanted[:n])
    tangents = rng.normal(size=(500, 2, 3)).astype(np.float32)
    results = []
    for move in (move_patches, reference.move_patches):
        moved, turned = np.empty((n, 3), np.float32), np.empty((n, 2, 3), np.float32)
        move(xyz, tangents, rows[:n], T, moved, turned)
        results.append((moved, turned))
    np.testing.assert_allclose(results[0][0], results[1][0], rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(results[0][1], results[1][1], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("sizes", [[], [0], [1], [5, 0, 7], [40, 60, 1, 30]])
def test_ring_neighbours_equal_twin(sizes: list[int]) -> None:
    rng = np.random.default_rng(len(sizes))
    azimuth = np.concatenate([np.sort(rng.uniform(-np.pi, np.pi, n)) for n in sizes] or [[]]).astype(np.float32)
    start = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    got, wanted = np.full((len(azimuth), 4), -9, np.int32), np.full((len(azimuth), 4), -9, np.int32)
    ring_neighbours(start, azimuth, 0.3, got)
    reference.ring_neighbours(start, azimuth, np.float32(0.3), wanted)
    np.testing.assert_array_equal(got, wanted)
