"""A cloud seen by a camera: surfaces hide what lies behind them, points fill pixels, surfaces fill between."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from densegt.accumulate.cloud import Cloud
from densegt.accumulate.config import AccumulateConfig, SurfelConfig
from densegt.accumulate.render.confidence import confidence
from densegt.accumulate.render.frustum import VisibleSurfels, select_visible
from densegt.accumulate.render.interpolated_depth import InterpolatedDepth
from densegt.accumulate.render.surfel_layers import SurfaceLayer, front_surface
from densegt.accumulate.render.working_grid import working_camera, working_step
from densegt.datasets.scene import Camera
from densegt.depth.depth_map import DepthMap, Source
from densegt.kernels.compose import compose_layers
from densegt.kernels.enclosed import enclosed
from densegt.kernels.interpolate_between import interpolate_between
from densegt.kernels.surfel import surfel_slopes
from densegt.kernels.upsample import upsample
from densegt.kernels.visible_points import nearest_of_cell, visible_points

Float32 = NDArray[np.float32]
Bool = NDArray[np.bool_]


@dataclass(frozen=True)
class ZBuffer:
    """The point that each pixel shows.

    Attributes:
        row: (H,W) int32 of the view's surfels, -1 for none; depth_m: (H,W) float32, infinity for none.
    """

    row: NDArray[np.int32]
    depth_m: Float32


def render(cloud: Cloud, camera: Camera, config: AccumulateConfig) -> DepthMap:
    """Render a cloud to z-depth, keeping only what this camera could see.

    Args:
        cloud: static points in global, movers in their own box frame.
        camera: pose and intrinsics at exposure; movers are placed at this time.
        config: window, greatest depth, surface or measured pixels only, least confidence.
    """
    step = working_step(camera, config.surfels)
    coarse = working_camera(camera, step)
    view = select_visible(cloud, coarse, config)
    layers = front_surface(view, coarse, config.surfels)
    points = shown_points(view, camera, layers.front, config.surfels, step)
    shown = nearest_of_cells(points, coarse, step)
    hidden = hidden_behind_gaps(coarse, layers.front, shown, config.surfels)
    filled = interpolate(view, coarse, shown, layers.front, hidden, config.surfels)
    sure = confidence(view, coarse, layers, filled)
    keep = filled.depth_m <= config.max_depth_m
    if config.surface:
        keep &= sure >= config.confidence.least
    else:
        # One sweep alone leaves no ghosts, and has no others to be sure by.
        alone = config.window_s == 0
        least = config.confidence.least if alone else config.confidence.least_measured
        keep &= filled.measured & (sure >= least)
    kept = replace(filled, depth_m=np.where(keep, filled.depth_m, np.float32(0)))
    if step == 1:
        points = replace(points, row=np.where(kept.measured, shown.row, -1))
    return compose(view, camera, cloud, kept, sure, points, config)


def shown_points(
    view: VisibleSurfels, camera: Camera, surface: SurfaceLayer, config: SurfelConfig, step: int = 1
) -> ZBuffer:
    """The point that each pixel shows (H,W); the surface is on cells of `step` pixels."""
    shape = (camera.height_px, camera.width_px)
    shown = ZBuffer(np.full(shape, -1, dtype=np.int32), np.full(shape, np.inf, dtype=np.float32))
    tolerance = (config.hide_relative, config.hide_absolute_m)
    visible_points(view.surfels.xyz, camera.K, surface.depth_m, *tolerance, step, shown.row, shown.depth_m)
    return shown


def nearest_of_cells(points: ZBuffer, coarse: Camera, step: int) -> ZBuffer:
    """The nearest of the points (H,W) that each cell (h,w) of `step` pixels shows."""
    if step == 1:
        return points
    shape = (coarse.height_px, coarse.width_px)
    shown = ZBuffer(np.empty(shape, dtype=np.int32), np.empty(shape, dtype=np.float32))
    nearest_of_cell(points.row, points.depth_m, step, shown.row, shown.depth_m)
    return shown


def hidden_behind_gaps(camera: Camera, surface: SurfaceLayer, shown: ZBuffer, config: SurfelConfig) -> Bool:
    """Pixels (H,W) where something far shows through a gap in something near."""
    hidden: Bool = np.empty(shown.row.shape, dtype=np.bool_)
    radius_px = round(config.enclosing_rad * camera.K[0, 0])
    enclosed(
        np.minimum(surface.depth_m, shown.depth_m), radius_px, config.hide_relative, config.hide_absolute_m, hidden
    )
    return hidden


def interpolate(
    view: VisibleSurfels,
    camera: Camera,
    shown: ZBuffer,
    surface: SurfaceLayer,
    hidden: Bool,
    config: SurfelConfig,
) -> InterpolatedDepth:
    """Points, then the surface's depth where there is none, then what lies between pixels of one surface."""
    shape = shown.row.shape
    depth_m, row_of, measured = np.empty(shape, np.float32), np.empty(shape, np.int32), np.empty(shape, np.bool_)
    compose_layers(surface.depth_m, surface.best, shown.row, shown.depth_m, hidden, depth_m, row_of, measured)
    slopes = np.empty((*shape, 2), np.float32)
    surfel_slopes(row_of, view.surfels.xyz, view.surfels.tangents, camera.K, slopes)
    max_gap_px = max(3, round(np.deg2rad(config.max_gap_deg) * camera.K[0, 0]))
    filled, nearest = depth_m.copy(), np.full(shape, -1, dtype=np.int32)
    interpolate_between(depth_m, slopes, max_gap_px, config.fill_tolerance, filled, nearest)
    between = nearest >= 0
    row_of[between] = row_of.ravel()[nearest[between]]
    slopes[between] = slopes.reshape(-1, 2)[nearest[between]]
    return InterpolatedDepth(filled, row_of, measured, between, slopes)


def compose(
    view: VisibleSurfels,
    camera: Camera,
    cloud: Cloud,
    kept: InterpolatedDepth,
    sure: Float32,
    points: ZBuffer,
    config: AccumulateConfig,
) -> DepthMap:
    """The image with source, age and confidence.

    Args:
        kept, sure: (h,w) on the camera's grid.
        points: (H,W).
    """
    own = np.array([token == camera.sample_token for token in cloud.sample_tokens])
    standing = np.where(own, np.uint8(Source.OWN_SWEEP), np.uint8(Source.STATIC))
    kind = np.where(view.moving, np.uint8(Source.MOVER), standing[view.surfels.sweep])
    depth_m, age_s, certain = (np.zeros(points.row.shape, dtype=np.float32) for _ in range(3))
    source = np.zeros(points.row.shape, dtype=np.uint8)
    upsample(
        kept.depth_m,
        kept.row_of,
        sure,
        kept.inverse_slope,
        working_step(camera, config.surfels),
        config.surfels.hide_relative,
        points.row,
        points.depth_m,
        kind,
        view.age_s,
        int(Source.SURFACE),
        depth_m,
        source,
        age_s,
        certain,
    )
    if not config.surface:
        for layer in (depth_m, age_s, certain):
            layer[source == Source.SURFACE] = 0
        source[source == Source.SURFACE] = Source.NONE
    return DepthMap(depth_m, source, age_s, certain)
