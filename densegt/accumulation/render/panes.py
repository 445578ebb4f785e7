"""Panes of glass in a depth image: where they are, and the depth that is shown there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from densegt.accumulation.config import GlassConfig
from densegt.accumulation.motion.tracks import ContinuousTrack
from densegt.accumulation.render.bodies import INSIDE_M, body_front
from densegt.datasets.scene import Camera
from densegt.kernels.interpolate_between import InterpolatedDepth
from densegt.kernels.panes import JumpEdges, PaneLimits, Panes, find_panes, level_pixels, next_jump

# Half the width of a window within which pixels are of one pane, an angle so that it means the same at every image
# size: 9 pixels at a focal length of 633 px. Returns of the glass itself lie between them.
JOIN_RAD = 0.0063

Float32 = NDArray[np.float32]
Bool = NDArray[np.bool_]


class ClosedPanes(NamedTuple):
    """Pixels (H,W) that are panes, and those that may be panes: nothing came back from the glass, if it is some."""

    pane: Bool
    doubtful: Bool


def close_panes(
    depth: InterpolatedDepth, camera: Camera, vehicles: Sequence[ContinuousTrack], config: GlassConfig
) -> ClosedPanes:
    """Put pixels that show what is behind a pane onto the pane, in place; return which.

    Args:
        vehicles: annotated ones; a frame within their boxes may be as bent as a body is.
    """
    front_m = body_front(depth.depth_m, camera, vehicles)
    panes, doubtful = panes_in(depth.depth_m, depth.inverse_slope, depth.measured, front_m, camera, config)
    pane = panes.frame >= 0
    frame = panes.frame[pane]
    depth.depth_m[pane], depth.surfel[pane] = 1 / panes.inverse_depth[pane], depth.surfel.ravel()[frame]
    depth.inverse_slope[pane], depth.measured[pane] = depth.inverse_slope.reshape(-1, 2)[frame], False
    return ClosedPanes(pane, doubtful)


def panes_in(
    depth_m: Float32, inverse_slope: Float32, measured: Bool, body_m: Float32, camera: Camera, config: GlassConfig
) -> tuple[Panes, Bool]:
    """The panes of a depth image (H,W), 0 = unknown, and the pixels (H,W) that may be others.

    Args:
        inverse_slope: (H,W,2) of its surfels; measured: (H,W), where points fall.
        body_m: (H,W), where the vehicle begins in whose body a pixel's depth lies, 0 = none; its openings are glass.
    """
    limits = PaneLimits(
        config.behind_relative,
        config.behind_m,
        config.agree,
        config.least_doubtful_m,
        config.widest_m,
        config.highest_m,
    )
    columns_m = np.ascontiguousarray(depth_m.T)
    jumps = JumpEdges(*(np.empty(image.shape, np.int32) for image in (depth_m, depth_m, columns_m, columns_m)))
    behind = (limits.relative, limits.absolute_m)
    next_jump(depth_m, *behind, -1, jumps.left)
    next_jump(depth_m, *behind, 1, jumps.right)
    next_jump(columns_m, *behind, -1, jumps.up)
    next_jump(columns_m, *behind, 1, jumps.down)
    out = empty_panes(depth_m.shape)
    excluded = level(depth_m, inverse_slope, camera, config.level_cosine) | (depth_m > config.farthest_m)
    find_panes(depth_m, inverse_slope, excluded, camera.K[0, 0], jumps, limits, out)
    doubtful = out.frame >= 0
    small = doubtful & (out.smallest_m < config.least_m)
    out.inverse_depth[small], out.frame[small] = 0, -1
    if (out.frame >= 0).any():
        unanswered = (out.frame >= 0) & ~has_returns(out, depth_m, measured, camera, config)
        out.inverse_depth[unanswered], out.frame[unanswered] = 0, -1
    if body_m.any():
        body = (body_m > 0) & (depth_m <= config.farthest_m)
        windows = empty_panes(depth_m.shape)
        largest_m = (config.longest_m, config.longest_m)
        bent = PaneLimits(*behind, config.agree_body, config.least_body_m, *largest_m)
        find_panes(depth_m, inverse_slope, ~body, camera.K[0, 0], jumps, bent, windows)
        # What stands before a body is no frame of its windows.
        found = (windows.frame >= 0) & (windows.inverse_depth * (body_m - INSIDE_M) < 1)
        out.inverse_depth[found], out.frame[found] = windows.inverse_depth[found], windows.frame[found]
    return out, doubtful & (out.frame < 0)


def empty_panes(shape: tuple[int, ...]) -> Panes:
    """Arrays for the panes of an image (H,W), not yet written."""
    return Panes(np.empty(shape, np.float32), np.empty(shape, np.int32), np.empty(shape, np.float32))


def has_returns(panes: Panes, depth_m: Float32, measured: Bool, camera: Camera, config: GlassConfig) -> Bool:
    """Pixels (H,W) but those of panes that returned nothing to the lidar: an opening without glass returns nothing.

    A pane's returns are points on its plane among its pixels; of these and of points behind it they must be a share of
    `least_returns`.
    """
    import cv2

    width_px = 2 * max(1, round(JOIN_RAD * camera.K[0, 0])) + 1
    size = (width_px, width_px)
    pane = (panes.frame >= 0).astype(np.uint8)
    joined = cv2.morphologyEx(pane, cv2.MORPH_CLOSE, np.ones(size, np.uint8))
    count, numbers = cv2.connectedComponents(joined, connectivity=8)
    # Within gaps the plane goes on as around them.
    around = cv2.blur(pane.astype(np.float32), size)
    plane = cv2.blur(panes.inverse_depth, size)
    # Points of panes and of their gaps, the only pixels that count.
    rows = np.flatnonzero(measured & (joined > 0))
    of, behind = numbers.ravel()[rows], pane.ravel()[rows] > 0
    plane_m = plane.ravel()[rows] / np.maximum(around.ravel()[rows], np.float32(1e-6))
    on = ~behind & (np.abs(1 / depth_m.ravel()[rows] - plane_m) <= config.agree / 2 * plane_m)
    returned = np.bincount(of[on], minlength=count)
    passed = np.bincount(of[behind], minlength=count)
    enough: Bool = (returned >= config.least_returns * (returned + passed))[numbers]
    return enough


def level(depth_m: Float32, inverse_slope: Float32, camera: Camera, cosine: float) -> Bool:
    """Pixels (H,W) whose surfel's normal is nearer to the vertical than this cosine."""
    K, up_cam = camera.K.astype(np.float32), camera.T_global_cam[2, :3].astype(np.float32)
    out: Bool = np.empty(depth_m.shape, dtype=np.bool_)
    level_pixels(depth_m, inverse_slope, K, up_cam, cosine, out)
    return out
