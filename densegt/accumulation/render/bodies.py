"""Pixels whose line of sight enters the body of an annotated vehicle."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from densegt.accumulation.motion.tracks import ContinuousTrack
from densegt.datasets.scene import Camera

# Below this share of its height a body has no windows, and beams pass under it.
SILL = 0.4
# Boxes are not exact, and mirrors reach out of them.
INSIDE_M = 0.3
# Corners nearer to the camera's plane have no place in the image.
NEAREST_M = 0.1

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Rows = NDArray[np.intp]


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
    if not rows.size or not cols.size:
        return
    R, origin = T_cam_box[:3, :3].T, -T_cam_box[:3, :3].T @ T_cam_box[:3, 3]
    K = camera.K
    x, y = (cols - K[0, 2]) / K[0, 0], ((rows - K[1, 2]) / K[1, 1])[:, None]
    ray = np.stack(np.broadcast_arrays(x, y, 1.0), axis=-1) @ R.T
    with np.errstate(divide="ignore", invalid="ignore"):
        low, high = (-half_m - origin) / ray, (half_m - origin) / ray
    enters = np.nanmax(np.minimum(low, high), axis=-1)
    leaves = np.nanmin(np.maximum(low, high), axis=-1)
    middle_m = origin[2] + ray[..., 2] * (enters + leaves) / 2
    here = np.ix_(rows, cols)
    through = (enters > 0) & (enters < leaves) & (middle_m > (2 * SILL - 1) * half_m[2])
    inside = through & (depth_m[here] > enters) & (depth_m[here] < leaves + INSIDE_M)
    out[here] = np.where(inside, enters, out[here])


def _covered(T_cam_box: Float64, half_m: Float64, camera: Camera) -> tuple[Rows, Rows]:
    """Rows and columns of the image that a box may cover."""
    signs = np.stack(np.meshgrid((-1, 1), (-1, 1), (-1, 1)), -1).reshape(-1, 3)
    corners = signs * half_m @ T_cam_box[:3, :3].T + T_cam_box[:3, 3]
    nothing = np.arange(0)
    if (corners[:, 2] < NEAREST_M).all():
        return nothing, nothing
    if (corners[:, 2] < NEAREST_M).any():
        return np.arange(camera.height_px), np.arange(camera.width_px)
    uv = corners @ camera.K.T
    uv = uv[:, :2] / uv[:, 2:]
    (u0, v0), (u1, v1) = np.floor(uv.min(axis=0)), np.ceil(uv.max(axis=0))
    return (
        np.arange(max(int(v0), 0), min(int(v1) + 1, camera.height_px)),
        np.arange(max(int(u0), 0), min(int(u1) + 1, camera.width_px)),
    )
