"""A cloud rendered to depth: surfaces hide what lies behind them, points fill pixels, surfaces fill between."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from densegt.accumulation.cloud import Cloud
from densegt.accumulation.config import AccumulateConfig, SurfelConfig
from densegt.accumulation.motion.tracks import ContinuousTrack
from densegt.accumulation.render.bodies import behind_bodies
from densegt.accumulation.render.confidence import estimate_confidence
from densegt.accumulation.render.frustum import VisibleSurfels, select_visible
from densegt.accumulation.render.panes import close_panes
from densegt.accumulation.render.pinholes import fill_pinholes
from densegt.accumulation.render.surfel_layers import front_surface
from densegt.accumulation.render.working_grid import working_camera, working_step
from densegt.datasets.scene import Camera
from densegt.depth.depth_map import DepthMap, Source
from densegt.kernels.compose import clear_pixels, compose_layers
from densegt.kernels.enclosed import enclosed
from densegt.kernels.interpolate_between import InterpolatedDepth, interpolate_between
from densegt.kernels.layer_buffer import SurfaceLayer
from densegt.kernels.surfel import surfel_slopes
from densegt.kernels.upsample import DepthLayers, upsample
from densegt.kernels.visible_points import ZBuffer, visible_points

Float32 = NDArray[np.float32]
Bool = NDArray[np.bool_]


def render(cloud: Cloud, camera: Camera, config: AccumulateConfig) -> DepthMap:
    """Depth map of what this camera sees of the cloud.

    Args:
        cloud: static points in global, movers in their own box frame.
        camera: pose and intrinsics at exposure; movers are placed at this time.
        config: window, greatest depth, surface or measured pixels only, least confidence.
    """
    step = working_step(camera, config.surfels)
    coarse = working_camera(camera, step)
    visible = select_visible(cloud, coarse, config)
    layers = front_surface(visible, coarse, config.surfels)
    points, cells = point_z_buffers(visible, camera, layers.front, config.surfels, step)
    hidden = hidden_behind_gaps(coarse, layers.front, cells, config.surfels)
    depth = interpolate(visible, coarse, cells, layers.front, hidden, cloud.vehicles, config)
    confidence = estimate_confidence(visible, coarse, layers, depth)
    keep = depth.depth_m <= config.max_depth_m
    if config.surface:
        keep &= confidence >= config.confidence.least
    else:
        # A single sweep leaves no ghosts, and has no others to gain confidence from.
        alone = config.window_s == 0
        least = config.confidence.least if alone else config.confidence.least_measured
        keep &= depth.measured & (confidence >= least)
    kept = depth._replace(depth_m=np.where(keep, depth.depth_m, np.float32(0)))
    if step == 1:
        points = points._replace(point=np.where(kept.measured, cells.point, -1))
    return compose(visible, camera, cloud, kept, confidence, points, config)


class PointBuffers(NamedTuple):
    """The nearest visible points by pixel (H,W) of the image and by cell (h,w) of the working grid."""

    pixels: ZBuffer
    cells: ZBuffer


def point_z_buffers(
    visible: VisibleSurfels, camera: Camera, surface: SurfaceLayer, config: SurfelConfig, step: int = 1
) -> PointBuffers:
    """The nearest point in each pixel, and in each cell of `step` pixels, that the surface (h,w) does not hide."""
    pixels = _empty_z_buffer((camera.height_px, camera.width_px))
    cells = pixels if step == 1 else _empty_z_buffer(surface.depth_m.shape)
    tolerance = (config.hide_relative, config.hide_absolute_m)
    visible_points(visible.surfels.xyz, camera.K, surface.depth_m, *tolerance, step, pixels, cells)
    return PointBuffers(pixels, cells)


def _empty_z_buffer(shape: tuple[int, ...]) -> ZBuffer:
    return ZBuffer(np.full(shape, np.inf, dtype=np.float32), np.full(shape, -1, dtype=np.int32))


def hidden_behind_gaps(camera: Camera, surface: SurfaceLayer, points: ZBuffer, config: SurfelConfig) -> Bool:
    """Pixels (H,W) where a far surface appears through a gap in a near one."""
    hidden: Bool = np.empty(points.point.shape, dtype=np.bool_)
    radius_px = round(config.enclosing_rad * camera.K[0, 0])
    nearest_m = np.minimum(surface.depth_m, points.depth_m)
    enclosed(nearest_m, radius_px, config.hide_relative, config.hide_absolute_m, hidden)
    return hidden


def interpolate(
    visible: VisibleSurfels,
    camera: Camera,
    points: ZBuffer,
    surface: SurfaceLayer,
    hidden: Bool,
    vehicles: Sequence[ContinuousTrack],
    config: AccumulateConfig,
) -> InterpolatedDepth:
    """Depth of points, else of the surface or the pane before it, else interpolated between pixels of one surface."""
    shape = points.point.shape
    depth_m, surfel, measured = np.empty(shape, np.float32), np.empty(shape, np.int32), np.empty(shape, np.bool_)
    compose_layers(surface, points, depth_m, surfel, measured)
    slopes = np.empty((*shape, 2), np.float32)
    surfel_slopes(surfel, visible.surfels.xyz, visible.surfels.tangents, camera.K, slopes)
    known = InterpolatedDepth(depth_m, surfel, measured, np.zeros(shape, np.bool_), slopes)
    if config.glass.show != "through":
        pane, doubtful = close_panes(known, camera, vehicles, config.glass)
        hidden = (hidden | pane if config.glass.show == "unknown" else hidden & ~pane) | doubtful
        hidden |= behind_bodies(known.depth_m, camera, vehicles)
    clear_pixels(hidden, known)
    filled = known._replace(depth_m=depth_m.copy())
    gap_px = np.maximum(np.rint(visible.gap_px), np.float32(3))
    interpolate_between(depth_m, gap_px, config.surfels.fill_tolerance, filled)
    return filled


def compose(
    visible: VisibleSurfels,
    camera: Camera,
    cloud: Cloud,
    kept: InterpolatedDepth,
    confidence: Float32,
    points: ZBuffer,
    config: AccumulateConfig,
) -> DepthMap:
    """The depth map at full resolution.

    Args:
        kept, confidence: (h,w) on the working grid.
        points: (H,W).
    """
    own = np.array([token == camera.sample_token for token in cloud.sample_tokens])
    of_sweep = np.where(own, np.uint8(Source.OWN_SWEEP), np.uint8(Source.STATIC))
    source = np.where(visible.attributes.moving, np.uint8(Source.MOVER), of_sweep[visible.surfels.sweep])
    types = (np.float32, np.uint8, np.float32, np.float32)
    out = DepthLayers._make(np.empty(points.point.shape, dtype) for dtype in types)
    step, relative = working_step(camera, config.surfels), config.surfels.hide_relative
    age = visible.attributes.age_s
    upsample(kept, confidence, step, relative, points, source, age, int(Source.SURFACE), out)
    if config.surface:
        fill_pinholes(out, config.surfels)
    else:
        interpolated = out.source == Source.SURFACE
        for layer in out:
            layer[interpolated] = 0
    return DepthMap(*out)
