"""Pixels whose line of sight enters, or passes through, the body of an annotated vehicle."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

import numpy as np
from numpy.typing import NDArray

from densegt.accumulation.motion.tracks import ContinuousTrack
from densegt.datasets.scene import Camera
from densegt.kernels.box_front import SeenBox, box_behind, box_front

# Below this share of its height a body has no windows, and beams pass under it.
SILL = 0.4
# Boxes are not exact, and mirrors reach out of them.
INSIDE_M = 0.3
# Between these shares of its height a body is closed: above a bonnet its box holds air, below its floor too.
CORE = (0.25, 0.55)
# Bodies are rounder than their boxes by about so much.
ROUNDED_M = 0.25
# What is so far behind a core is behind the body.
BEHIND_M = 0.75
# Corners nearer to the camera's plane have no place in the image.
NEAREST_M = 0.1

# Corners of a box of side 2 about its middle, and pairs of them that differ in one coordinate.
_CORNERS = np.array(list(product((-1, 1), repeat=3)))
_EDGES = np.array([(i, j) for i in range(8) for j in range(i) if np.abs(_CORNERS[i] - _CORNERS[j]).sum() == 2])

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Bool = NDArray[np.bool_]
Span = tuple[int, int]


def body_front(depth_m: Float32, camera: Camera, vehicles: Sequence[ContinuousTrack]) -> Float32:
    """Where a pixel's line enters a vehicle's box (H,W) m, if its depth lies inside the box's upper part; else 0."""
    out = np.zeros(depth_m.shape, dtype=np.float32)
    for T_cam_box, half_m in _bodies(camera, vehicles):
        window = _covered(T_cam_box, half_m, camera)
        lowest_m = (2 * SILL - 1) * half_m[2]
        box_front(depth_m, camera.K, _seen(T_cam_box, half_m, lowest_m, INSIDE_M), *window, out)
    return out


def behind_bodies(depth_m: Float32, camera: Camera, vehicles: Sequence[ContinuousTrack]) -> Bool:
    """Pixels (H,W) whose line passes through a vehicle's core and whose depth lies behind it.

    Whether or not a beam met it there: the flanks of what passes close by lie below a roof's lidar.
    """
    out = np.zeros(depth_m.shape, dtype=np.bool_)
    for T_cam_box, half_m in _bodies(camera, vehicles):
        T_cam_core = T_cam_box.copy()
        T_cam_core[:3, 3] += T_cam_box[:3, 2] * half_m[2] * (CORE[0] + CORE[1] - 1)
        core_m = np.array([*(half_m[:2] - ROUNDED_M), half_m[2] * (CORE[1] - CORE[0])])
        if (core_m > 0).all():
            window = _covered(T_cam_core, core_m, camera)
            box_behind(depth_m, camera.K, _seen(T_cam_core, core_m, -np.inf, BEHIND_M), *window, out)
    return out


def _bodies(camera: Camera, vehicles: Sequence[ContinuousTrack]) -> Iterator[tuple[Float64, Float64]]:
    """Pose in cam and half the size m of each vehicle at exposure."""
    now = np.array([camera.timestamp_us], dtype=np.float64)
    for track in vehicles:
        if track.known_at(now)[0]:
            yield np.linalg.inv(camera.T_global_cam) @ track.poses_at(now)[0], track.size_lwh_m / 2


def _seen(T_cam_box: Float64, half_m: Float64, lowest_m: float, inside_m: float) -> SeenBox:
    R_box_cam = np.ascontiguousarray(T_cam_box[:3, :3].T)
    origin_box = -R_box_cam @ T_cam_box[:3, 3]
    return SeenBox(R_box_cam, origin_box, np.asarray(half_m, dtype=np.float64), float(lowest_m), inside_m)


def _covered(T_cam_box: Float64, half_m: Float64, camera: Camera) -> tuple[Span, Span]:
    """Rows and columns of the image that a box may cover: the first ones, and those behind the last."""
    corners = _CORNERS * half_m @ T_cam_box[:3, :3].T + T_cam_box[:3, 3]
    ahead = corners[:, 2] >= NEAREST_M
    if not ahead.any():
        return (0, 0), (0, 0)
    if not ahead.all():
        corners = _before(corners, ahead)
    uv = corners @ camera.K.T
    uv = uv[:, :2] / uv[:, 2:]
    (u0, v0), (u1, v1) = np.floor(uv.min(axis=0)), np.ceil(uv.max(axis=0))
    return (
        (max(int(v0), 0), min(int(v1) + 1, camera.height_px)),
        (max(int(u0), 0), min(int(u1) + 1, camera.width_px)),
    )


def _before(corners: Float64, ahead: Bool) -> Float64:
    """Corners of what lies before the plane NEAREST_M ahead of the camera; (8,3) and (8,) to (N,3), in cam."""
    a, b = corners[_EDGES[:, 0]], corners[_EDGES[:, 1]]
    cut = ahead[_EDGES[:, 0]] != ahead[_EDGES[:, 1]]
    a, b = a[cut], b[cut]
    share = (NEAREST_M - a[:, 2]) / (b[:, 2] - a[:, 2])
    return np.concatenate([corners[ahead], a + share[:, None] * (b - a)])
