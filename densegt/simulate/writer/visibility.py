"""Visibility: what share of a thing the cameras see, from the object ids in their pictures."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from densegt.geometry.boxes import corners
from densegt.geometry.camera import project
from densegt.geometry.se3 import inverse
from densegt.simulate.drive import CameraMount, Drive, Exposure

Float64 = NDArray[np.float64]

FILL = 0.72
"""A body covers about this share of its box's outline."""


def visible_share(drive: Drive, t_s: float, exposures: list[Exposure]) -> Float64:
    """Pixels seen of each thing (N,) over those it would cover alone, in 0..1."""
    counts = np.zeros(len(drive.things))
    areas = np.zeros(len(drive.things))
    for mount, exposure in zip(drive.rig.cameras, exposures, strict=True):
        height_px, width_px = exposure.depth_m.shape
        t = t_s - mount.before_stamp_s
        T_cam_world = inverse(drive.ego.T_world_body(np.array([t]))[0] @ mount.T_ego_cam)
        counts += np.bincount(exposure.object_id.reshape(-1), minlength=len(counts) + 1)[1:]
        for i, thing in enumerate(drive.things):
            box = corners(T_cam_world @ thing.T_world_box(np.array([t]))[0], thing.size_lwh_m)
            areas[i] += FILL * outline_area(mount, box, width_px, height_px)
    share: Float64 = np.clip(counts / np.maximum(areas, 1.0), 0, 1)
    return share


def outline_area(mount: CameraMount, corners_cam: Float64, width_px: int, height_px: int) -> float:
    """Area in px of a box's convex outline that lies in the image; 0 if it reaches behind the camera."""
    if corners_cam[:, 2].min() < 0.3:
        return 0.0
    uv, _ = project(mount.K, corners_cam)
    if uv[:, 0].max() < 0 or uv[:, 0].min() > width_px or uv[:, 1].max() < 0 or uv[:, 1].min() > height_px:
        return 0.0
    hull = cv2.convexHull(uv.astype(np.float32))
    frame = np.array([[0, 0], [width_px, 0], [width_px, height_px], [0, height_px]], dtype=np.float32)
    return float(cv2.intersectConvexConvex(hull, frame)[0])
