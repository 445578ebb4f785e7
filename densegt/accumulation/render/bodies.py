"""Pixels whose line of sight enters the body of an annotated vehicle."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from densegt.accumulation.motion.tracks import ContinuousTrack
from densegt.datasets.scene import Camera
from densegt.kernels.box_front import SeenBox, box_front

# Below this share of its height a body has no windows, and beams pass under it.
SILL = 0.4
# Boxes are not exact, and mirrors reach out of them.
INSIDE_M = 0.3
# Corners nearer to the camera's plane have no place in the image.
NEAREST_M = 0.1

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Span = tuple[int, int]


def body_front(depth_m: Float32, camera: Camera, vehicles: Sequence[ContinuousTrack]) -> Float32:
    """Where a pixel's line enters a vehicle's box (H,W) m, if its depth lies inside the box's upper part; else 0."""
    out = np.zeros(depth_m.shape, dtype=np.float32)
    now = np.array([camera.timestamp_us], dtype=np.float64)
    for track in vehicles:
        if track.known_at(now)[0]:
            T_cam_box = np.linalg.inv(camera.T_global_cam) @ track.poses_at(now)[0]
            _mark(out, depth_m, camera, T_cam_box, track.size_lwh_m / 2)
    return out


def _mark(out: Float32, depth_m: Float32, camera: Camera, T_cam_box: Float64, half_m: Float64) -> None:
    rows, cols = _covered(T_cam_box, half_m, camera)
    R_box_cam = np.ascontiguousarray(T_cam_box[:3, :3].T)
    lowest_m = float((2 * SILL - 1) * half_m[2])
    box = SeenBox(R_box_cam, -R_box_cam @ T_cam_box[:3, 3], np.asarray(half_m, dtype=np.float64), lowest_m, INSIDE_M)
    box_front(depth_m, camera.K, box, rows, cols, out)


def _covered(T_cam_box: Float64, half_m: Float64, camera: Camera) -> tuple[Span, Span]:
    """Rows and columns of the image that a box may cover: the first ones, and those behind the last."""
    signs = np.stack(np.meshgrid((-1, 1), (-1, 1), (-1, 1)), -1).reshape(-1, 3)
    corners = signs * half_m @ T_cam_box[:3, :3].T + T_cam_box[:3, 3]
    if (corners[:, 2] < NEAREST_M).all():
        return (0, 0), (0, 0)
    if (corners[:, 2] < NEAREST_M).any():
        return (0, camera.height_px), (0, camera.width_px)
    uv = corners @ camera.K.T
    uv = uv[:, :2] / uv[:, 2:]
    (u0, v0), (u1, v1) = np.floor(uv.min(axis=0)), np.ceil(uv.max(axis=0))
    return (
        (max(int(v0), 0), min(int(v1) + 1, camera.height_px)),
        (max(int(u0), 0), min(int(u1) + 1, camera.width_px)),
    )
