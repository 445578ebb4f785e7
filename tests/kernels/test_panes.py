"""Panes of glass: against the twins, and on rooms small enough to read."""

from __future__ import annotations

import numpy as np
import pytest

from densegt.kernels.panes import JumpEdges, PaneLimits, Panes, find_panes, level_pixels, next_jump

from ..twins import twin_of

FOCAL_PX = 20.0
LIMITS = PaneLimits(relative=0.03, absolute_m=0.25, agree=0.05, least_m=0.35, widest_m=5.0, highest_m=4.0)


def jumps_of(depth_m: np.ndarray, jump=next_jump, limits: PaneLimits = LIMITS) -> JumpEdges:
    images = (depth_m, depth_m, np.ascontiguousarray(depth_m.T), np.ascontiguousarray(depth_m.T))
    out = JumpEdges(*(np.full(image.shape, -9, np.int32) for image in images))
    for image, step, edge in zip(images, (-1, 1, -1, 1), out, strict=True):
        jump(image, limits.relative, limits.absolute_m, step, edge)
    return out


def panes(depth_m: np.ndarray, slopes: np.ndarray | None = None, excluded: np.ndarray | None = None, **limits) -> Panes:
    """The kernel's panes, which must be the twin's; outputs begin wrong everywhere."""
    depth_m = depth_m.astype(np.float32)
    slopes = np.zeros((*depth_m.shape, 2), np.float32) if slopes is None else slopes
    excluded = np.zeros(depth_m.shape, bool) if excluded is None else excluded
    given = LIMITS._replace(**limits)
    jumps = jumps_of(depth_m, limits=given)
    for mine, twins in zip(jumps, jumps_of(depth_m, twin_of(next_jump), given), strict=True):
        np.testing.assert_array_equal(mine, twins)
    got, wanted = (Panes(*(np.full(depth_m.shape, 7, t) for t in (np.float32, np.int32, np.float32))) for _ in range(2))
    find_panes(depth_m, slopes, excluded, FOCAL_PX, jumps, given, got)
    twin_of(find_panes)(depth_m, slopes, excluded, FOCAL_PX, jumps, given, wanted)
    np.testing.assert_allclose(got.inverse_depth, wanted.inverse_depth, rtol=1e-5)
    np.testing.assert_array_equal(got.frame, wanted.frame)
    np.testing.assert_allclose(got.smallest_m, wanted.smallest_m, rtol=1e-5)
    return got


def window(depth_m: float = 14.0) -> np.ndarray:
    """A wall at 10 m with an opening of 8 by 6 px, 4 by 3 m, through which a room's back shows."""
    out = np.full((20, 24), 10.0)
    out[6:12, 8:16] = depth_m
    return out


@pytest.mark.parametrize("seed", range(4))
def test_equals_twin(seed: int) -> None:
    rng = np.random.default_rng(seed)
    depth = np.where(rng.random((23, 31)) < 0.7, rng.choice([5.0, 5.1, 8.0, 20.0, 20.5], (23, 31)), 0)
    depth[4:9, 5:20], depth[5:8, 6:19] = 5.0, 9.0
    depth[rng.random((23, 31)) < 0.03] = np.nan
    slopes = np.where(rng.random((23, 31, 1)) < 0.8, 0, rng.normal(0, 0.02, (23, 31, 2))).astype(np.float32)
    found = panes(depth, slopes, rng.random((23, 31)) < 0.2, least_m=0.0)
    assert 5 < (found.frame >= 0).sum() < depth.size / 2


@pytest.mark.parametrize("shape", [(0, 0), (1, 1), (1, 9), (9, 1), (2, 2)])
def test_images_too_small_for_a_frame(shape: tuple[int, int]) -> None:
    assert not (panes(np.random.default_rng(0).choice([3.0, 30.0], shape)).frame >= 0).any()


def test_a_window_is_on_the_wall() -> None:
    found = panes(window())
    np.testing.assert_array_equal(found.frame >= 0, window() > 10)
    np.testing.assert_allclose(found.inverse_depth[found.frame >= 0], 0.1, rtol=1e-6)
    # The nearest pixel of the frame: of the upper left corner the one to the left.
    assert found.frame[6, 8] == 6 * 24 + 7


def test_a_slanted_wall_gives_the_depth_of_its_plane() -> None:
    col = np.tile(np.arange(24.0), (20, 1))
    wall = 1 / (0.08 + 0.001 * col)
    seen = np.where(window() > 10, 2 * wall, wall)
    slopes = np.zeros((20, 24, 2), np.float32)
    slopes[..., 0] = 0.001
    found = panes(seen, slopes, widest_m=6.0, highest_m=6.0)
    np.testing.assert_array_equal(found.frame >= 0, window() > 10)
    np.testing.assert_allclose(found.inverse_depth[found.frame >= 0], (1 / wall)[window() > 10], rtol=1e-5)


@pytest.mark.parametrize(("depth_m", "pane"), [(10.55, False), (10.57, True)])
def test_what_is_hardly_behind_the_frame_is_no_room(depth_m: float, pane: bool) -> None:
    """10 m is nearer than z (1 - 0.03) - 0.25 from z = 10.567 m on."""
    assert (panes(window(depth_m)).frame >= 0).any() == pane


def test_open_to_one_side_is_a_pane_still_and_open_to_two_is_none() -> None:
    """A person may stand before one side of a frame; a gap between two houses has a frame on two sides only."""
    porch = window()
    porch[12:, 8:16] = 14.0
    assert (panes(porch).frame >= 0).any()
    gap = np.full((20, 24), 10.0)
    gap[:, 8:16] = 14.0
    assert not (panes(gap).frame >= 0).any()


def test_what_faces_elsewhere_is_no_frame() -> None:
    """Between two legs the surfels' planes foretell other depths than the legs' own."""
    slopes = np.zeros((20, 24, 2), np.float32)
    slopes[:, :8, 0], slopes[:, 16:, 0] = 0.01, -0.01
    slopes[:6, :, 1], slopes[12:, :, 1] = 0.01, -0.01
    assert not (panes(window(), slopes).frame >= 0).any()


def test_what_is_excluded_is_none() -> None:
    assert not (panes(window(), excluded=window() > 10).frame >= 0).any()


@pytest.mark.parametrize("limits", [{"least_m": 3.2}, {"widest_m": 3.9}, {"highest_m": 2.9}])
def test_a_frame_too_small_or_too_large(limits: dict[str, float]) -> None:
    """From edge to edge of the frame it is 9 px, 4.5 m, by 7 px, 3.5 m."""
    assert (panes(window(), least_m=3.4, widest_m=4.6, highest_m=3.6).frame >= 0).any()
    broken = {"least_m": 3.6, "widest_m": 4.4, "highest_m": 3.4}
    assert not (panes(window(), **{name: broken[name] for name in limits}).frame >= 0).any()


@pytest.mark.parametrize("shape", [(0, 3), (1, 1), (23, 31)])
def test_level_pixels_equal_twin(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(shape[0])
    depth = np.where(rng.random(shape) < 0.8, rng.uniform(3, 40, shape), 0).astype(np.float32)
    slopes = rng.normal(0, 0.01, (*shape, 2)).astype(np.float32)
    slopes[rng.random(shape) < 0.2] = 0
    K = np.array([[20.0, 0, 15.2], [0, 21.0, 11.3], [0, 0, 1]], np.float32)
    up_cam = np.array([0.1, -0.99, 0.05], np.float32)
    got, wanted = np.ones(shape, bool), np.zeros(shape, bool)
    level_pixels(depth, slopes, K, up_cam, 0.8, got)
    twin_of(level_pixels)(depth, slopes, K, up_cam, 0.8, wanted)
    np.testing.assert_array_equal(got, wanted)
    if shape[0] > 1:
        assert 0.1 < got.mean() < 0.9
