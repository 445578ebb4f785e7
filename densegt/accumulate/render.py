"""A cloud seen by a camera: surfaces hide what lies behind them, points fill pixels, surfaces fill between."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from densegt.accumulate.cloud import Cloud
from densegt.accumulate.config import AccumulateConfig, SurfaceConfig
from densegt.accumulate.surface import Surface, fringe, front_surface, inverse_slopes
from densegt.accumulate.view import View, look
from densegt.datasets.scene import Camera
from densegt.depth.depth_map import DepthMap, Source
from densegt.kernels.enclosed import enclosed
from densegt.kernels.fill_between import fill_between
from densegt.kernels.visible_points import visible_points


def render(cloud: Cloud, camera: Camera, config: AccumulateConfig) -> DepthMap:
    """Render a cloud to z-depth, keeping only what this camera could see.

    Args:
        cloud: static points in global, movers in their own box frame.
        camera: pose and intrinsics at exposure; movers are placed at this time.
        config: window, greatest depth, surface or measured pixels only.
    """
    view = look(cloud, camera, config)
    surface = front_surface(view, camera, config.patches)
    shown = shown_points(view, camera, surface, config.patches)
    hidden = hidden_behind_gaps(view, camera, surface, shown, config.patches)
    shown[hidden] = -1
    measured = paint_points(view, camera, cloud, shown)
    depth = (
        paint_surface(view, camera, measured, shown, surface, hidden, config.patches) if config.surface else measured
    )
    return nearer_than(depth, config.max_depth_m)


def shown_points(view: View, camera: Camera, surface: Surface, config: SurfaceConfig) -> NDArray[np.int32]:
    """The row of the point that each pixel shows (H,W), -1 for none."""
    shown = np.full(surface.depth_m.shape, -1, dtype=np.int32)
    tolerance = (config.hide_relative, config.hide_absolute_m)
    visible_points(view.patches.xyz, camera.K, surface.depth_m, *tolerance, shown)
    return shown


def hidden_behind_gaps(
    view: View, camera: Camera, surface: Surface, shown: NDArray[np.int32], config: SurfaceConfig
) -> NDArray[np.bool_]:
    """Pixels (H,W) where something far shows through a gap in something near."""
    depth_m = surface.depth_m.copy()
    known = shown >= 0
    depth_m[known] = np.minimum(depth_m[known], view.patches.xyz[shown[known], 2])
    hidden = np.empty(shown.shape, dtype=np.bool_)
    radius_px = round(config.enclosing_rad * camera.K[0, 0])
    enclosed(depth_m, radius_px, config.hide_relative, config.hide_absolute_m, hidden)
    return hidden


def paint_points(view: View, camera: Camera, cloud: Cloud, shown: NDArray[np.int32]) -> DepthMap:
    """Depth, source and age of the shown points."""
    known = shown >= 0
    rows = shown[known]
    depth_m = np.zeros(shown.shape, dtype=np.float32)
    depth_m[known] = view.patches.xyz[rows, 2]
    own = np.array([token == camera.sample_token for token in cloud.sample_tokens])
    source = np.full(shown.shape, Source.NONE, dtype=np.uint8)
    source[known] = np.where(
        view.moving[rows], Source.MOVER, np.where(own[view.patches.sweep[rows]], Source.OWN_SWEEP, Source.STATIC)
    )
    return DepthMap(depth_m, source, _ages(view, shown))


def paint_surface(
    view: View,
    camera: Camera,
    measured: DepthMap,
    shown: NDArray[np.int32],
    surface: Surface,
    hidden: NDArray[np.bool_],
    config: SurfaceConfig,
) -> DepthMap:
    """Fill pixels with the surface's depth, then those between pixels of one surface."""
    covered = (surface.best >= 0) & (shown < 0) & ~hidden & ~fringe(surface, view, config)
    depth_m = np.where(covered, surface.depth_m, measured.depth_m)
    row_of = np.where(covered, surface.best, shown)
    max_gap_px = max(3, round(np.deg2rad(config.max_gap_deg) * camera.K[0, 0]))
    filled, nearest = depth_m.copy(), np.full(shown.shape, -1, dtype=np.int32)
    slopes = inverse_slopes(view.patches, camera, row_of)
    fill_between(depth_m, slopes, max_gap_px, config.fill_tolerance, filled, nearest)
    between = nearest >= 0
    row_of[between] = row_of.ravel()[nearest[between]]
    source = np.where(covered | between, np.uint8(Source.SURFACE), measured.source)
    return DepthMap(filled, source, _ages(view, row_of))


def nearer_than(depth: DepthMap, max_depth_m: float) -> DepthMap:
    """The same with everything farther left unknown."""
    keep = (depth.depth_m > 0) & (depth.depth_m <= max_depth_m)
    zero = np.float32(0)
    return DepthMap(
        np.where(keep, depth.depth_m, zero),
        np.where(keep, depth.source, np.uint8(Source.NONE)),
        np.where(keep, depth.age_s, zero),
    )


def _ages(view: View, row_of: NDArray[np.int32]) -> NDArray[np.float32]:
    age_s = np.zeros(row_of.shape, dtype=np.float32)
    age_s[row_of >= 0] = view.age_s[row_of[row_of >= 0]]
    return age_s
