"""How far 2D boxes in images confirm a box in 3D."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from densegt.autolabel.boxes_2d import VEHICLE_KINDS, Box2D, ImageObjects
from densegt.autolabel.evidence import SceneEvidence
from densegt.autolabel.labels import BoxOverTime
from densegt.datasets.scene import Camera
from densegt.geometry import camera as pinhole
from densegt.geometry import se3

Float64 = NDArray[np.float64]

# Of a box in an image: least height, least share that lies in it, and how far away it may be.
SEEN_PX, SEEN_SHARE, FARTHEST_M = 12.0, 0.6, 70.0
UNKNOWN = 0.5


def image_support(box: BoxOverTime, evidence: SceneEvidence, objects: ImageObjects) -> float:
    """How far images confirm a box: mean IoU with the best vehicle in those that should show it, the better half."""
    found = []
    for camera in evidence.scene.cameras:
        shown, t_us = objects.of(camera), np.array([float(camera.timestamp_us)])
        if shown is not None and box.known_at(t_us)[0]:
            rectangle = _rectangle(box, t_us, camera)
            if rectangle is not None:
                vehicles = [b for b in shown if b.kind in VEHICLE_KINDS]
                found.append(max((_iou(rectangle, b) for b in vehicles), default=0.0))
    if not found:
        return UNKNOWN
    return float(np.mean(sorted(found)[len(found) // 2 :]))


def _rectangle(box: BoxOverTime, t_us: Float64, camera: Camera) -> Float64 | None:
    """x0, y0, x1, y1 of a box in an image, cut to it; None where little of it is in it."""
    signs = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)])
    T_cam_box = se3.inverse(camera.T_global_cam) @ box.poses_at(t_us)[0]
    uv, z = pinhole.project(camera.K, se3.apply(T_cam_box, signs * box.size_lwh_m / 2))
    if z.min() < 0.5 or z.max() > FARTHEST_M:
        return None
    whole = np.concatenate([uv.min(axis=0), uv.max(axis=0)])
    size = np.array([camera.width_px, camera.height_px], dtype=np.float64)
    cut = np.concatenate([np.clip(whole[:2], 0, size), np.clip(whole[2:], 0, size)])
    share = np.prod(cut[2:] - cut[:2]) / np.prod(whole[2:] - whole[:2])
    return cut if share >= SEEN_SHARE and cut[3] - cut[1] >= SEEN_PX else None


def _iou(a: Float64, b: Box2D) -> float:
    shared = max(min(a[2], b.x1) - max(a[0], b.x0), 0.0) * max(min(a[3], b.y1) - max(a[1], b.y0), 0.0)
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b.x1 - b.x0) * (b.y1 - b.y0) - shared
    return float(shared / max(union, 1e-9))
