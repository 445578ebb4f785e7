"""A cloud seen by a camera: patches hide what lies behind them, points fill pixels, surfaces fill between."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from densegt.accumulate.cloud import Cloud
from densegt.accumulate.config import AccumulateConfig, SurfaceConfig
from densegt.accumulate.freespace import behind_glass
from densegt.accumulate.patches import Patches, concatenate
from densegt.datasets.scene import Camera
from densegt.depth.depth_map import DepthMap, Source
from densegt.geometry import se3
from densegt.kernels.blend_patches import blend_patches
from densegt.kernels.enclosed import enclosed
from densegt.kernels.fill_between import fill_between
from densegt.kernels.splat_patches import splat_patches
from densegt.kernels.view import move_patches, select_in_view
from densegt.kernels.visible_points import visible_points

MARGIN_PX = 32.0
MIN_DEPTH_M = 0.3


@dataclass(frozen=True)
class View:
    """What a camera might see.

    Attributes:
        patches: (N) in cam.
        mover: (N,), of a moving object.
        age_s: (N,) float32, measurement's time minus exposure.
    """

    patches: Patches
    mover: NDArray[np.bool_]
    age_s: NDArray[np.float32]


def render(cloud: Cloud, camera: Camera, config: AccumulateConfig) -> DepthMap:
    """Render a cloud to z-depth, keeping only what this camera could see.

    Args:
        cloud: static points in global, movers in their own box frame.
        camera: pose and intrinsics at exposure; movers are placed at this time.
        config: window, greatest depth, surface or measured pixels only.
    """
    view = look(cloud, camera, config)
    surface = front_surface(view, camera, config.patches)
    shown = shown_points(view, camera, surface.depth_m, config.patches)
    hidden = hidden_behind_gaps(view, camera, surface.depth_m, shown, config.patches)
    shown[hidden] = -1
    measured = paint_points(view, camera, cloud, shown)
    if not config.surface:
        return measured
    return paint_surface(view, camera, measured, shown, surface, hidden, config.patches)


def look(cloud: Cloud, camera: Camera, config: AccumulateConfig) -> View:
    """Static patches and the movers, placed where they are at exposure, in cam."""
    exposure_s = (camera.timestamp_us - cloud.start_us) * 1e-6
    T_cam_global = se3.inverse(camera.T_global_cam)
    T_global_origin = np.eye(4)
    T_global_origin[:3, 3] = cloud.origin_global_m
    nearest = np.argsort(np.abs(cloud.sweep_times_s - exposure_s), kind="stable")[: config.free_space.asked_sweeps]
    parts = [
        in_view(
            cloud.static,
            T_cam_global @ T_global_origin,
            camera,
            config,
            exposure_s,
            config.window_s,
            cloud,
            nearest.tolist() if config.clean else None,
        )
    ]
    exposure_us = np.array([camera.timestamp_us], dtype=np.float64)
    for track, patches in cloud.movers:
        if len(patches) and track.known_at(exposure_us)[0]:
            window_s = min(
                config.tracks.deforming_window_s if track.deforming else np.inf,
                np.inf if config.window_s is None else config.window_s,
            )
            T_cam_box = T_cam_global @ track.poses_at(exposure_us)[0]
            parts.append(in_view(patches, T_cam_box, camera, config, exposure_s, window_s, cloud))
    mover = np.concatenate([np.full(len(part), k > 0) for k, part in enumerate(parts)])
    patches = concatenate(parts)
    return View(patches, mover, patches.time_s - np.float32(exposure_s))


def in_view(
    patches: Patches,
    T_cam_src: NDArray[np.float64],
    camera: Camera,
    config: AccumulateConfig,
    exposure_s: float,
    window_s: float | None,
    cloud: Cloud,
    asked: Sequence[int] | None = None,
) -> Patches:
    """The patches that the camera looks at, measured within `window_s` of the exposure, in cam."""
    rows = np.empty(len(patches), dtype=np.int32)
    count = select_in_view(
        patches.xyz,
        T_cam_src,
        camera.K,
        camera.width_px,
        camera.height_px,
        MARGIN_PX,
        MIN_DEPTH_M,
        config.max_depth_m,
        rows,
    )
    rows = rows[:count]
    if asked is not None:
        rows = rows[~behind_glass(cloud.images, patches.xyz[rows], asked, config.free_space)]
    if window_s is not None and np.isfinite(window_s):
        # Half a turn more, so that a window of 0 holds the keyframe's own sweep and no other.
        rows = rows[np.abs(patches.time_s[rows] - exposure_s) <= window_s + 0.05]
    xyz = np.empty((len(rows), 3), dtype=np.float32)
    tangents = np.empty((len(rows), 2, 3), dtype=np.float32)
    move_patches(patches.xyz, patches.tangents, rows, T_cam_src, xyz, tangents)
    return Patches(xyz, tangents, patches.half_m[rows], patches.time_s[rows], patches.sweep[rows])


@dataclass(frozen=True)
class Surface:
    """The nearest well supported surface at each pixel.

    Attributes:
        depth_m: (H,W) float32, infinity where there is none.
        best: (H,W) int32, row of the patch that counts most, -1 for none.
    """

    depth_m: NDArray[np.float32]
    best: NDArray[np.int32]


def front_surface(view: View, camera: Camera, config: SurfaceConfig) -> Surface:
    """The nearest layer of patches at each pixel, or the next where that is far better supported.

    Range noise makes outlines bristle: a few of many sweeps put a patch beside the object. Such a layer weighs little
    against the one behind it.
    """
    first, weight, best = layer(view, camera, np.zeros((camera.height_px, camera.width_px), np.float32), config)
    behind = np.where(np.isfinite(first), first * (1 + config.hide_relative) + config.hide_absolute_m, np.inf)
    second, next_weight, next_best = layer(view, camera, behind.astype(np.float32), config)
    of_mover = (best >= 0) & view.mover[best] if len(view.mover) else best >= 0
    weak = (weight < config.weak_share * next_weight) & ~of_mover
    return Surface(np.where(weak, second, first), np.where(weak, next_best, best))


def layer(
    view: View, camera: Camera, beyond_m: NDArray[np.float32], config: SurfaceConfig
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int32]]:
    """The nearest layer of patches beyond a depth: its mean depth (H,W) m or infinity, weight, and strongest patch."""
    patches = view.patches
    shape = beyond_m.shape
    front_m = np.full(shape, np.inf, dtype=np.float32)
    geometry = (patches.xyz, patches.tangents, patches.half_m, camera.K, config.max_reach_px, beyond_m)
    splat_patches(*geometry, front_m)
    weighted, weight = np.zeros(shape, dtype=np.float32), np.zeros(shape, dtype=np.float32)
    best = np.full(shape, -1, dtype=np.int32)
    blend_patches(*geometry, front_m, config.hide_relative, config.hide_absolute_m, weighted, weight, best)
    depth_m = np.where(weight > 0, weighted / np.maximum(weight, 1e-12), np.inf).astype(np.float32)
    return depth_m, weight, best


def shown_points(view: View, camera: Camera, front_m: NDArray[np.float32], config: SurfaceConfig) -> NDArray[np.int32]:
    """The row of the point that each pixel shows (H,W), -1 for none."""
    shown = np.full(front_m.shape, -1, dtype=np.int32)
    visible_points(view.patches.xyz, camera.K, front_m, config.hide_relative, config.hide_absolute_m, shown)
    return shown


def hidden_behind_gaps(
    view: View, camera: Camera, front_m: NDArray[np.float32], shown: NDArray[np.int32], config: SurfaceConfig
) -> NDArray[np.bool_]:
    """Pixels (H,W) where something far shows through a gap in something near."""
    depth_m = front_m.copy()
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
        view.mover[rows], Source.MOVER, np.where(own[view.patches.sweep[rows]], Source.OWN_SWEEP, Source.STATIC)
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
    covered = (surface.best >= 0) & (shown < 0) & ~hidden
    depth_m = np.where(covered, surface.depth_m, measured.depth_m)
    row_of = np.where(covered, surface.best, shown)
    # A ring gap of a 32-beam lidar spans about 1.33 degrees; between farther pixels nothing was measured.
    max_gap_px = max(3, round(np.deg2rad(1.33) * camera.K[0, 0]))
    filled, nearest = depth_m.copy(), np.full(shown.shape, -1, dtype=np.int32)
    slopes = inverse_slopes(view.patches, camera, row_of)
    fill_between(depth_m, slopes, max_gap_px, config.fill_tolerance, filled, nearest)
    between = nearest >= 0
    row_of[between] = row_of.ravel()[nearest[between]]
    source = np.where(covered | between, np.uint8(Source.SURFACE), measured.source)
    return DepthMap(filled, source, _ages(view, row_of))


def _ages(view: View, row_of: NDArray[np.int32]) -> NDArray[np.float32]:
    age_s = np.zeros(row_of.shape, dtype=np.float32)
    age_s[row_of >= 0] = view.age_s[row_of[row_of >= 0]]
    return age_s


def inverse_slopes(patches: Patches, camera: Camera, shown: NDArray[np.int32]) -> NDArray[np.float32]:
    """How inverse depth changes over the image on each shown patch's plane, (H,W,2) 1/(m px).

    On the plane n.q = n.p inverse depth is n.d / n.p with the ray d, so its slopes are n_x/(fx n.p), n_y/(fy n.p).
    """
    out = np.zeros((*shown.shape, 2), dtype=np.float32)
    rows = shown[shown >= 0]
    normal = np.cross(patches.tangents[rows, 0], patches.tangents[rows, 1])
    n_p = (normal * patches.xyz[rows]).sum(axis=1)
    # Seen edge-on a plane has no slope to go by; zero makes it agree with equal depth only.
    seen = np.abs(n_p) > 1e-3 * np.linalg.norm(patches.xyz[rows], axis=1)
    slope = np.where(seen[:, None], normal[:, :2] / np.where(seen, n_p, 1.0)[:, None], 0.0)
    out[shown >= 0] = slope / np.array([camera.K[0, 0], camera.K[1, 1]])
    return out
