"""The rendering kernels against their twins: random, empty, border, ties, behind the camera, NaN."""

from __future__ import annotations

import numpy as np
import pytest

from densegt.kernels.blend_surfels import blend_surfels
from densegt.kernels.compose import compose_layers
from densegt.kernels.frustum import move_surfels, select_in_frustum, viewing_geometry
from densegt.kernels.interpolate_between import interpolate_between
from densegt.kernels.layer_buffer import (
    BEFORE,
    LANES,
    NEAREST,
    WEIGHTED_DEPTH,
    clear_layer_buffer,
    next_layer,
    read_layer_buffer,
    widen_front,
)
from densegt.kernels.layer_buffer import COLUMNS as CANVAS_COLUMNS
from densegt.kernels.ring_neighbours import ring_neighbours
from densegt.kernels.splat_surfels import splat_surfels
from densegt.kernels.subsample import subsample_points, subsample_surfels
from densegt.kernels.surfel import COLUMNS, project_surfels, surfel_slopes
from densegt.kernels.upsample import upsample
from densegt.kernels.visible_points import nearest_of_cell, visible_points

from ..reference import surfel as geometry
from ..reference.surfel import on_plane
from ..twins import twin_of

H, W = 24, 32
K = np.array([[20.0, 0, 15.3], [0, 21.0, 11.7], [0, 0, 1]])


def surfels(seed: int, n: int):
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
    assert (~close).sum() <= share * close.size, (~close).sum()


def project(xyz, tangents, half_m, trust, reach_px, camera=K, shape=(H, W)):
    """Slopes of all surfels; planes, bounds and rows of those that cover pixels."""
    n = len(xyz)
    planes, slopes = np.full((n, COLUMNS), 77, np.float32), np.full((1, n, 2), 77, np.float32)
    bounds, rows = np.full((n, 4), 77, np.int32), np.full(n, -9, np.int32)
    reach, share = np.full(n, reach_px, np.float32), np.ones(n, np.float32)
    count = project_surfels(xyz, tangents, half_m, trust, share, camera, reach, *shape, planes, bounds, rows)
    surfel_slopes(np.arange(n, dtype=np.int32)[None], xyz, tangents, camera, slopes)
    return slopes[0], planes[:count], bounds[:count], rows[:count]


def every(rows: np.ndarray) -> np.ndarray:
    return np.arange(len(rows), dtype=np.int32)


def on_canvas(inverse: np.ndarray) -> np.ndarray:
    """An image (H,W) as strips (H,B,16), zero beyond its border."""
    wide = np.zeros((len(inverse), -(-inverse.shape[1] // LANES) * LANES), np.float32)
    wide[:, : inverse.shape[1]] = inverse
    return wide.reshape(len(inverse), -1, LANES)


def splat(xyz, tangents, half_m, reach_px, beyond_m, camera=K):
    """The nearest surfel beyond `beyond_m` (H,W), infinity where there is none."""
    _, planes, bounds, rows = project(xyz, tangents, half_m, np.ones(len(xyz), np.float32), reach_px, camera)
    canvas = clear_layer_buffer(H, W)
    with np.errstate(divide="ignore"):
        canvas[:, :, BEFORE:NEAREST] = on_canvas(1 / beyond_m)
        splat_surfels(planes, bounds, every(rows), canvas)
        return 1 / canvas[:, :, NEAREST:WEIGHTED_DEPTH].reshape(H, -1)[:, :W]


def blend(xyz, tangents, half_m, trust, reach_px, beyond_m, front_m, relative, absolute_m, camera=K):
    """Depth, weight and best (H,W) of the surfels on a front; and the rows of those that reach behind it."""
    shape = front_m.shape
    _, planes, bounds, rows = project(xyz, tangents, half_m, trust, reach_px, camera, shape)
    canvas, farthest = clear_layer_buffer(*shape), np.empty((shape[0], -(-shape[1] // LANES)), np.float32)
    with np.errstate(divide="ignore"):
        canvas[:, :, BEFORE:NEAREST] = on_canvas(1 / beyond_m)
    canvas[:, :, NEAREST:WEIGHTED_DEPTH] = on_canvas(1 / front_m)
    widen_front(canvas, relative, absolute_m, farthest)
    reaches_behind = np.empty(len(rows), bool)
    blend_surfels(planes, bounds, every(rows), farthest, canvas, reaches_behind)
    out = np.empty(shape, np.float32), np.empty(shape, np.float32), np.empty(shape, np.int32)
    read_layer_buffer(canvas, rows, *out)
    return *out, rows[reaches_behind]


@pytest.mark.parametrize(("seed", "n"), [(0, 0), (1, 1), (2, 60), (3, 200)])
def test_planes_tell_where_rays_meet_patches(seed: int, n: int) -> None:
    """At any pixel inverse depth and both coordinates are what solving for the ray's end gives."""
    xyz, tangents, half_m = surfels(seed, n)
    slopes, planes, bounds, rows = project(xyz, tangents, half_m, np.ones(n, np.float32), 9)
    assert (bounds[:, 1] >= bounds[:, 0]).all()
    assert len(rows) == len(np.unique(rows))
    assert len(rows) > n / 3 or n < 2
    np.testing.assert_allclose(planes[:, 1:3], slopes[rows], rtol=1e-4, atol=1e-6 * np.abs(slopes).max(initial=0))
    for plane, (row_lo, row_hi, col_lo, col_hi), i in zip(planes, bounds, rows, strict=True):
        for row, col in ((row_lo, col_lo), (row_hi, col_lo), (row_lo, col_hi), (row_hi, col_hi)):
            got = plane[[0, 3, 6]] + plane[[1, 4, 7]] * (col - col_lo) + plane[[2, 5, 8]] * (row - row_lo)
            wanted = on_plane(xyz[i], tangents[i], K, row, col)
            np.testing.assert_allclose(got, wanted, rtol=2e-3, atol=1e-4 * np.abs(plane[:9]).max())
        np.testing.assert_allclose(plane[9:13] * half_m[i], 1, rtol=1e-5)
        np.testing.assert_allclose(plane[13], 1 / (half_m[i, :2].sum() * half_m[i, 2:].sum() + 1e-6), rtol=1e-5)


def test_slopes_are_known_without_reach_but_not_edge_on() -> None:
    xyz = np.array([[4, 1, 12], [1, 1, 8], [0, 0, 5], [0, 0, 5]], np.float32)
    wall = np.array([[2, 0, 1], [0, 1, 0]]) / np.sqrt([[5], [1]])  # it recedes to the right: z = 10 + x / 2
    edge_on = np.array([xyz[1] / np.linalg.norm(xyz[1]), [1, 0, 0]])
    tangents = np.array([wall, edge_on, [[1, 0, 0], [1, 0, 0]], wall], np.float32)
    half_m = np.array([[0, 0, 0, 0], [1, 1, 1, 1], [1, 1, 1, 1], [0, 0, 1, 1]], np.float32)
    slopes, _, _, rows = project(xyz, tangents, half_m, np.ones(4, np.float32), 9)
    # 1/z = 0.1 - 0.05 x/z
    np.testing.assert_allclose(slopes[0], [-0.05 / K[0, 0], 0], rtol=1e-5)
    np.testing.assert_allclose(slopes[3], [-0.5 / (5 * K[0, 0]), 0], rtol=1e-5)
    assert not slopes[1:3].any()
    assert len(rows) == 0


@pytest.mark.parametrize(("seed", "n"), [(0, 0), (1, 1), (2, 60), (3, 200)])
def test_splat_equals_twin(seed: int, n: int) -> None:
    xyz, tangents, half_m = surfels(seed, n)
    wanted = np.full((H, W), np.inf, np.float32)
    beyond = np.where(np.arange(W) % 5 == 0, 6.0, 0.0).astype(np.float32) * np.ones((H, 1), np.float32)
    geometry.splat_surfels(xyz, tangents, half_m, K, np.full(n, 9, np.float32), beyond, wanted)
    if n == 200:
        assert np.isfinite(wanted).mean() > 0.3
    agree(splat(xyz, tangents, half_m, 9, beyond), wanted, share=0.005)


def test_splat_of_a_facing_square_is_its_pixels_at_its_depth() -> None:
    xyz = np.array([[0, 0, 10]], np.float32)
    tangents = np.array([[[1, 0, 0], [0, 1, 0]]], np.float32)
    camera = np.array([[10.0, 0, 16], [0, 10.0, 12], [0, 0, 1]])
    half_m = np.array([[2.1, 1.1, 3.1, 0.1]], np.float32)
    out = splat(xyz, tangents, half_m, 99, np.zeros((H, W), np.float32), camera)
    wanted = np.full((H, W), np.inf, np.float32)
    wanted[12:16, 15:19] = 10
    np.testing.assert_allclose(out, wanted, rtol=1e-6)


def test_splat_ignores_degenerate_and_nan_patches() -> None:
    xyz = np.array([[0, 0, 5], [0, 0, 5], [np.nan, 0, 5], [0, 0, np.nan]], np.float32)
    facing = [[1, 0, 0], [0, 1, 0]]
    tangents = np.array([[[1, 0, 0], [1, 0, 0]], [[1, 0, 0], [0, 0, 1]], facing, facing], np.float32)
    assert not np.isfinite(splat(xyz, tangents, np.ones((4, 4), np.float32), 9, np.zeros((H, W), np.float32))).any()


@pytest.mark.parametrize(("seed", "n"), [(0, 0), (4, 1), (5, 80), (6, 200)])
def test_blend_equals_twin(seed: int, n: int) -> None:
    xyz, tangents, half_m = surfels(seed, n)
    beyond = np.where(np.arange(W) % 5 == 0, 6.0, 0.0).astype(np.float32) * np.ones((H, 1), np.float32)
    front = np.random.default_rng(seed).uniform(2, 25, (H, W)).astype(np.float32)
    trust = np.random.default_rng(seed).uniform(0.1, 1, n).astype(np.float32)
    weighted, weight = np.zeros((H, W), np.float32), np.zeros((H, W), np.float32)
    best = np.full((H, W), -1, np.int32)
    shape = (xyz, tangents, half_m, trust, K, np.full(n, 9, np.float32))
    geometry.blend_surfels(*shape, beyond, front, 0.03, 0.1, weighted, weight, best)
    depth_m = np.where(weight > 0, weighted / np.maximum(weight, 1e-12), np.inf)
    got = blend(xyz, tangents, half_m, trust, 9, beyond, front, 0.03, 0.1)
    for mine, wanted in zip(got[:3], (depth_m, weight, best), strict=True):
        agree(mine, wanted, share=0.01)
    # Whatever covers a pixel behind the front is among those named.
    behind = np.zeros((H, W), np.float32)
    for i in range(n):
        deep = np.full((H, W), np.inf, np.float32)
        geometry.splat_surfels(*(x[i : i + 1] for x in shape[:3]), K, shape[5][:1], front * 1.031 + 0.11, deep)
        assert np.isinf(deep).all() or i in got[3]
        behind += np.isfinite(deep)
    if n == 200:
        assert behind.any()


def test_a_patch_on_the_front_does_not_reach_behind_it() -> None:
    xyz, tangents = np.array([[0, 0, 10]], np.float32), np.eye(3, dtype=np.float32)[None, :2]
    for front_m, behind in ((10.0, 0), (9.8, 0), (8.0, 1)):
        front = np.full((H, W), front_m, np.float32)
        facing = (xyz, tangents, np.ones((1, 4), np.float32), np.ones(1, np.float32))
        assert len(blend(*facing, 9, np.zeros((H, W), np.float32), front, 0.03, 0.1)[3]) == behind


def test_blend_between_two_neighbours_is_linear() -> None:
    """Two facing surfels that reach to each other's middle: in between, depth runs linearly from one to the other."""
    camera = np.array([[10.0, 0, 0], [0, 10.0, 0], [0, 0, 1]])
    xyz = np.array([[0, 0, 10.0], [4, 0, 12.0]], np.float32)
    tangents = np.tile(np.eye(3, dtype=np.float32)[:2], (2, 1, 1))
    half = np.full((2, 4), 4.8, np.float32)
    image = np.zeros((1, 5), np.float32)
    depth_m, _, _, _ = blend(xyz, tangents, half, np.ones(2, np.float32), 99, image, image + 99, 0.0, 0.0, camera)
    a = 1 - np.arange(5) / 4.8
    b = 1 - np.abs(np.arange(5) * 1.2 - 4) / 4.8
    np.testing.assert_allclose(depth_m[0], (10 * a + 12 * b) / (a + b), rtol=1e-5)


def test_turned_page_takes_only_what_lies_behind() -> None:
    depth_m = np.array([[10.0, np.inf, 4.0]], np.float32)
    canvas = np.full((1, 1, CANVAS_COLUMNS), 7, np.float32)
    next_layer(canvas, depth_m, 0.03, 0.1)
    np.testing.assert_allclose(canvas[0, 0, BEFORE : BEFORE + 4], [1 / 10.4, 0, 1 / 4.22, 0], rtol=1e-6)
    assert not canvas[:, :, NEAREST:].any()


@pytest.mark.parametrize(("seed", "n"), [(0, 0), (1, 300)])
def test_judge_equals_twin(seed: int, n: int) -> None:
    xyz, tangents, _ = surfels(seed, n)
    rng = np.random.default_rng(seed)
    sweep, lidar = rng.integers(0, 5, n).astype(np.int32), rng.normal(size=(5, 3)).astype(np.float32)
    lidar[0] = 0  # at the camera itself: no sideways error
    results = [(np.empty(n, np.float32), np.empty(n, np.float32)) for _ in range(2)]
    for judge, out in zip((viewing_geometry, twin_of(viewing_geometry)), results, strict=True):
        judge(xyz, tangents, sweep, lidar, 633.0, 0.03, *out)
    for got, wanted in zip(*results, strict=True):
        np.testing.assert_allclose(got, wanted, rtol=2e-3, atol=1e-4)
    np.testing.assert_allclose(results[0][0][sweep == 0], 1, atol=1e-4)


@pytest.mark.parametrize(("seed", "n", "count"), [(0, 0, 0), (1, 400, 300), (2, 400, 0), (3, 3000, 3000)])
def test_thin_equals_twin(seed: int, n: int, count: int) -> None:
    xyz, _, half_m = surfels(seed, n)
    xyz[: n // 2, 2] = np.random.default_rng(seed).choice(
        [0.05, 4.0, 4.4, 300.0], n // 2
    )  # nearest cell, ties, farthest
    incidence = np.random.default_rng(seed).uniform(0, 1, n).astype(np.float32)
    results = []
    for leave_out in (subsample_surfels, twin_of(subsample_surfels)):
        share = np.where(np.arange(n) % 2 == 0, 0.5, 1).astype(np.float32)
        leave_out(xyz, half_m, incidence, np.full(n, 5, np.float32), K, H, W, 4.0, count, share)
        results.append(share)
    agree(*results, share=0.005)
    assert (results[0][count:] >= 0.5).all()
    assert (results[0] == 0).any() == (count > 0)


def test_thin_keeps_all_of_a_few_and_about_enough_of_many() -> None:
    def kept(n: int, layers: float) -> tuple[int, float]:
        xyz = np.tile(np.array([[0, 0, 10]], np.float32), (n, 1))
        half_m, ones = np.full((n, 4), 1.0, np.float32), np.ones(n, np.float32)  # 4 m2 at 10 m: 16.8 of 64 pixels
        share = np.ones(n, np.float32)
        subsample_surfels(xyz, half_m, ones, 99 * ones, K, H, W, layers, n, share)
        return int((share > 0).sum()), float((1 / share[share > 0]).sum())

    assert kept(10, 10.0) == (10, 10.0)
    number, stands_for = kept(1000, 10.0)
    assert abs(number - 10 * 64 / 16.8) < 2
    assert abs(stands_for - 1000) < 40


def thinned(thin_them, xyz, sweep, stays, most, rows, camera=K):
    """Rows kept and with what chance."""
    rows, share = rows.copy(), np.full(len(rows), 77, np.float32)
    T = np.eye(4)
    T[:3, :3] = [[0, -1, 0], [1, 0, 0], [0, 0, 1]]
    T[:3, 3] = [0.5, -0.25, 0.125]
    count = thin_them(xyz, sweep, stays, T, camera, H, W, most, rows, share)
    return rows[:count], share[:count]


@pytest.mark.parametrize(("seed", "n"), [(0, 0), (1, 1), (2, 400), (3, 3000)])
def test_thin_points_equals_twin(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    xyz, _, _ = surfels(seed, n)
    xyz[: n // 2, 2] = rng.choice([0.05, 4.0, 4.4, 300.0], n // 2)  # nearest cell, ties, farthest
    sweep, stays = rng.integers(0, 5, n).astype(np.int32), np.array([False, True, False, False, False])
    rows = np.flatnonzero(rng.random(n) < 0.8).astype(np.int32)
    got, wanted = (thinned(f, xyz, sweep, stays, 0.02, rows) for f in (subsample_points, twin_of(subsample_points)))
    # A place on a cell's border falls to either side.
    assert len(set(got[0].tolist()) ^ set(wanted[0].tolist())) <= 0.02 * n
    same, at, back = np.intersect1d(got[0], wanted[0], return_indices=True)
    agree(got[1][at], wanted[1][back], share=0.02)
    assert (np.diff(got[0]) > 0).all()
    assert set(rows[stays[sweep[rows]]].tolist()) <= set(got[0].tolist())
    if n == 3000:
        assert len(same) < 0.9 * len(rows)


def test_thin_points_keeps_all_of_a_few_and_about_enough_of_many() -> None:
    def kept(n: int, stays: bool) -> tuple[int, float]:
        xyz, sweep = np.tile(np.array([[0, 0, 10]], np.float32), (n, 1)), np.zeros(n, np.int32)
        _, share = thinned(subsample_points, xyz, sweep, np.array([stays]), 2.0, np.arange(n, dtype=np.int32))
        return len(share), float((1 / share).sum())

    assert kept(128, stays=False) == (128, 128.0)
    number, stands_for = kept(5000, stays=False)
    assert abs(number - 128) < 3
    assert abs(stands_for - 5000) < 100
    assert kept(5000, stays=True) == (5000, 5000.0)


def test_what_is_left_out_covers_nothing_and_the_rest_weighs_for_it() -> None:
    xyz, tangents, half_m = surfels(3, 40)
    share = np.where(np.arange(40) % 2 == 0, 0, 0.5).astype(np.float32)
    _, planes, _, rows = project(xyz, tangents, half_m, np.ones(40, np.float32), 9)
    ones, reach = np.ones(40, np.float32), np.full(40, 9, np.float32)
    thinned, left = np.empty((40, COLUMNS), np.float32), np.empty(40, np.int32)
    out = (thinned, np.empty((40, 4), np.int32), left)
    count = project_surfels(xyz, tangents, half_m, ones, share, K, reach, H, W, *out)
    odd = rows % 2 == 1
    np.testing.assert_array_equal(left[:count], rows[odd])
    assert count
    np.testing.assert_allclose(thinned[:count, 13], 2 * planes[odd, 13], rtol=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_lay_down_equals_twin(seed: int) -> None:
    rng = np.random.default_rng(seed)
    xyz, _, _ = surfels(seed, 50)
    shown = rng.integers(-40, 50, (H, W)).clip(-1).astype(np.int32)
    best = rng.integers(-40, 50, (H, W)).clip(-1).astype(np.int32)
    surface = np.where(best >= 0, rng.uniform(1, 20, (H, W)), np.inf).astype(np.float32)
    shown_m = np.where(shown >= 0, xyz[shown, 2], np.inf).astype(np.float32)
    hidden = rng.random((H, W)) < 0.2
    results = []
    for lay in (compose_layers, twin_of(compose_layers)):
        out = [np.full((H, W), 7, t) for t in (np.float32, np.int32, np.bool_)]
        lay(surface, best, shown, shown_m, hidden, *out)
        results.append(out)
    for got, wanted in zip(*results, strict=True):
        np.testing.assert_array_equal(got, wanted)


@pytest.mark.parametrize("step", [1, 2, 3])
def test_nearest_of_cell_equals_twin(step: int) -> None:
    rng = np.random.default_rng(step)
    xyz = rng.integers(1, 6, (60, 3)).astype(np.float32)
    points = rng.integers(-60, 60, (H, W)).clip(-1).astype(np.int32)
    points_m = np.where(points >= 0, xyz[points, 2], np.inf).astype(np.float32)
    results = []
    for nearest in (nearest_of_cell, twin_of(nearest_of_cell)):
        out = [np.full((-(-H // step), -(-W // step)), 7, t) for t in (np.int32, np.float32)]
        nearest(points, points_m, step, *out)
        results.append(out)
    for got, wanted in zip(*results, strict=True):
        np.testing.assert_array_equal(got, wanted)


@pytest.mark.parametrize("step", [1, 2, 3])
def test_enlarge_equals_twin(step: int) -> None:
    rng = np.random.default_rng(step)
    grid = (-(-H // step), -(-W // step))
    xyz, _, _ = surfels(step, 60)
    depth = np.where(rng.random(grid) < 0.8, rng.uniform(5, 6, grid), 0).astype(np.float32)
    xyz[:, 2] = rng.uniform(5, 6, 60)
    row_of = rng.integers(-10, 60, grid).clip(-1).astype(np.int32)
    slopes = rng.normal(0, 0.01, (*grid, 2)).astype(np.float32)
    shown = rng.integers(-60, 60, (H, W)).clip(-1).astype(np.int32)
    shown_m = np.where(shown >= 0, xyz[shown, 2], np.inf).astype(np.float32)
    sure = rng.random(grid).astype(np.float32)
    kind, age = rng.integers(1, 4, 60).astype(np.uint8), rng.normal(size=60).astype(np.float32)
    results = []
    for make in (upsample, twin_of(upsample)):
        out = [np.zeros((H, W), t) for t in (np.float32, np.uint8, np.float32, np.float32)]
        make(depth, row_of, sure, slopes, step, 0.03, shown, shown_m, kind, age, 4, *out)
        results.append(out)
    for got, wanted in zip(*results, strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-5)
    assert len(np.unique(results[0][1])) == 5


def test_enlarged_plane_is_exact() -> None:
    """Cells that know a plane's depth at their middles and its slopes give it back at every pixel."""
    v, u = np.mgrid[0:H, 0:W].astype(float)
    plane = 1 / (0.05 + 0.0004 * v + 0.0001 * u)
    middles = 1 / (0.05 + 0.0004 * (v[::2, ::2] + 0.5) + 0.0001 * (u[::2, ::2] + 0.5))
    slopes = np.tile(np.array([0.0002, 0.0008], np.float32), (*middles.shape, 1))  # by cells of two pixels
    out = [np.zeros((H, W), t) for t in (np.float32, np.uint8, np.float32, np.float32)]
    nothing = np.full((H, W), -1, np.int32)
    ones = np.ones(middles.shape, np.float32)
    row_of = np.zeros(middles.shape, np.int32)
    known = (np.full((H, W), np.inf, np.float32), np.ones(1, np.uint8), np.ones(1, np.float32))
    upsample(middles.astype(np.float32), row_of, ones, slopes, 2, 0.03, nothing, *known, 4, *out)
    np.testing.assert_allclose(out[0], plane, rtol=1e-5)
    assert (out[1] == 4).all()


@pytest.mark.parametrize("step", [1, 3])
@pytest.mark.parametrize("seed", range(4))
def test_visible_points_equal_twin(seed: int, step: int) -> None:
    xyz, _, _ = surfels(seed, 400)
    xyz[:3] = [[0, 0, -4], [np.nan, 0, 3], [0, 0, 0]]
    xyz[10:20] = xyz[20:30]  # ties
    front = np.random.default_rng(seed).uniform(2, 25, (-(-H // step), -(-W // step))).astype(np.float32)
    results = []
    for choose in (visible_points, twin_of(visible_points)):
        shown, shown_m = np.full((H, W), -1, np.int32), np.full((H, W), np.inf, np.float32)
        choose(xyz, K, front, 0.03, 0.1, step, shown, shown_m)
        results.append((shown, shown_m))
    for got, wanted in zip(*results, strict=True):
        np.testing.assert_array_equal(got, wanted)
    assert (results[0][0] >= 0).any()
    assert (results[0][0] < 0).any()


def test_point_on_the_image_border_counts_where_its_centre_rounds_to() -> None:
    camera = np.array([[1.0, 0, 0], [0, 1.0, 0], [0, 0, 1]])
    xyz = np.array([[-0.5, -0.5, 1], [-0.51, 0, 1], [3.49, 1.49, 1], [3.5, 0, 1], [0, 1.5, 1]], np.float32)
    shown = np.full((2, 4), -1, np.int32)
    anywhere, depth_m = (np.full((2, 4), np.inf, np.float32) for _ in range(2))
    visible_points(xyz, camera, anywhere, 0.0, 0.0, 1, shown, depth_m)
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
    for fill in (interpolate_between, twin_of(interpolate_between)):
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
    interpolate_between(depth, slope, 12, 0.01, out, nearest)
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
    n = select_in_frustum(xyz, T, K, W, H, 4.0, 0.3, 15.0, rows)
    assert n == twin_of(select_in_frustum)(xyz, T, K, W, H, 4.0, 0.3, 15.0, wanted)
    assert 0 < n < 500
    np.testing.assert_array_equal(rows[:n], wanted[:n])
    tangents = rng.normal(size=(500, 2, 3)).astype(np.float32)
    results = []
    for move in (move_surfels, twin_of(move_surfels)):
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
    twin_of(ring_neighbours)(start, azimuth, np.float32(0.3), wanted)
    np.testing.assert_array_equal(got, wanted)
