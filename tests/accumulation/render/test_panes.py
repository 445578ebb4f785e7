"""Panes in a depth image: an opening without glass is none, and neither is the ground."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from densegt.accumulation.config import GlassConfig
from densegt.accumulation.render.panes import level, panes_in
from densegt.datasets.scene import Camera

from ..worlds import World

H, W = 40, 60
# Ahead along global x, pixels downwards along -z.
T_GLOBAL_CAM = np.array([[0, 0, 1, 0], [-1, 0, 0, 0], [0, -1, 0, 1.5], [0, 0, 0, 1]], float)


def camera() -> Camera:
    K = np.array([[60.0, 0, 29.5], [0, 60.0, 19.5], [0, 0, 1]])
    return replace(
        World().scene().cameras[0], K=K, width_px=W, height_px=H, T_ego_cam=T_GLOBAL_CAM, T_global_ego=np.eye(4)
    )


def window() -> tuple[np.ndarray, np.ndarray]:
    """A wall at 10 m with a window of 20 by 12 px, 3.3 by 2 m, and a point on every third pixel."""
    depth_m = np.full((H, W), 10, np.float32)
    depth_m[12:24, 20:40] = 14
    measured = np.zeros((H, W), bool)
    measured[::3, ::3] = True
    return depth_m, measured


def found(
    depth_m: np.ndarray, measured: np.ndarray, config: GlassConfig | None = None, body_m: np.ndarray | None = None
) -> np.ndarray:
    return panes_and_doubtful(depth_m, measured, config, body_m)[0]


def panes_and_doubtful(
    depth_m: np.ndarray, measured: np.ndarray, config: GlassConfig | None = None, body_m: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    slopes = np.zeros((H, W, 2), np.float32)
    body_m = np.zeros((H, W), np.float32) if body_m is None else body_m
    panes, doubtful = panes_in(depth_m, slopes, measured, body_m, camera(), config or GlassConfig())
    return panes.frame >= 0, doubtful


def test_returns_of_the_glass_make_it_a_pane() -> None:
    depth_m, measured = window()
    depth_m[18, 20:40:5], measured[18, 20:40:5] = 10, True
    np.testing.assert_array_equal(found(depth_m, measured), depth_m > 10)


def test_an_opening_that_returns_nothing_is_no_pane() -> None:
    """As the back of a lorry without its tarpaulin."""
    depth_m, measured = window()
    assert not found(depth_m, measured).any()
    assert found(depth_m, measured, GlassConfig(least_returns=0)).any()


def test_an_opening_that_returns_nothing_may_be_a_pane_and_so_may_a_small_one() -> None:
    depth_m, measured = window()
    pane, doubtful = panes_and_doubtful(depth_m, measured)
    assert not pane.any()
    np.testing.assert_array_equal(doubtful, depth_m > 10)
    depth_m = np.full((H, W), 10, np.float32)
    depth_m[12:24, 20], depth_m[18, 20] = 14, 10
    pane, doubtful = panes_and_doubtful(depth_m, measured)
    assert not pane.any()
    np.testing.assert_array_equal(doubtful, depth_m > 10)
    assert not panes_and_doubtful(depth_m, measured, GlassConfig(least_doubtful_m=0.35))[1].any()


def test_a_pane_with_returns_is_not_doubtful() -> None:
    depth_m, measured = window()
    depth_m[18, 20:40:5], measured[18, 20:40:5] = 10, True
    pane, doubtful = panes_and_doubtful(depth_m, measured)
    assert pane.any()
    assert not doubtful.any()


def test_what_is_far_is_left_alone() -> None:
    """Five percent of sixty metres are a room's depth."""
    depth_m, measured = window()
    depth_m[18, 20:40:5], measured[18, 20:40:5] = 10, True
    assert not found(depth_m, measured, GlassConfig(farthest_m=12)).any()


def test_an_opening_that_no_point_lies_in_or_behind_is_left_to_its_frame() -> None:
    depth_m, measured = window()
    measured[12:24, 20:40] = False
    assert found(depth_m, measured).any()


def test_each_pane_by_itself() -> None:
    depth_m = np.full((H, W), 10, np.float32)
    depth_m[10:20, 5:20] = depth_m[10:20, 40:55] = 14
    measured = np.ones((H, W), bool)
    depth_m[15, 5:20:3] = 10
    pane = found(depth_m, measured)
    assert pane[:, :30].any()
    assert not pane[:, 30:].any()


@pytest.mark.parametrize("camera_above_m", [1.5, -1.5])
def test_ground_and_ceiling_are_level_and_walls_are_not(camera_above_m: float) -> None:
    """Below the horizon ground has inverse depth (v - cy) / (f h)."""
    rows = np.arange(H, dtype=np.float32)[:, None] - 19.5
    inverse = np.where(rows * camera_above_m > 0, rows / (60 * camera_above_m), 0) * np.ones((1, W), np.float32)
    slopes = np.zeros((H, W, 2), np.float32)
    slopes[..., 1] = 1 / (60 * camera_above_m)
    with np.errstate(divide="ignore"):
        depth_m = np.where(inverse > 0, 1 / inverse, 0).astype(np.float32)
    assert (level(depth_m, slopes, camera(), 0.8)[depth_m > 0]).all()
    wall = np.full((H, W), 10, np.float32)
    assert not level(wall, np.zeros((H, W, 2), np.float32), camera(), 0.8).any()


def test_the_windows_of_a_body_need_no_returns_and_no_flat_frame() -> None:
    """A windscreen between bonnet and roof: its frame is bent, and no beam came back from it."""
    depth_m, measured = window()
    depth_m[24:], depth_m[:12] = 9.2, 10.4
    assert not found(depth_m, measured).any()
    body_m = np.zeros((H, W), np.float32)
    body_m[:, 30:] = 9.5
    pane = found(depth_m, measured, body_m=body_m)
    assert pane[12:24, 30:40].all()
    assert not pane[:, :30].any()


def test_what_stands_before_a_body_is_no_frame_of_it() -> None:
    depth_m, measured = window()
    depth_m[24:], depth_m[:12] = 9.2, 10.4
    assert not found(depth_m, measured, body_m=np.full((H, W), 13, np.float32)).any()
