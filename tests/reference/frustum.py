"""Slow twins of densegt.kernels.frustum."""

from __future__ import annotations

import numpy as np

from densegt.kernels.frustum import BLOCK_ROWS


def select_in_frustum(xyz, T_cam_src, camera, margin_px, min_depth_m, max_depth_m, out):
    count = 0
    for i, point in enumerate(xyz.astype(np.float64)):
        x, y, z = T_cam_src[:3, :3] @ point + T_cam_src[:3, 3]
        if not min_depth_m < z < max_depth_m:
            continue
        u, v, _ = camera.K @ [x / z, y / z, 1]
        if -margin_px <= u < camera.width_px + margin_px and -margin_px <= v < camera.height_px + margin_px:
            out[count] = i
            count += 1
    return count


def block_bounds(xyz, out):
    for block, part in enumerate(np.split(xyz, range(BLOCK_ROWS, len(xyz), BLOCK_ROWS))[: len(out)]):
        known = ~np.isnan(part)
        out[block] = np.where(known, part, np.inf).min(axis=0), np.where(known, part, -np.inf).max(axis=0)


def select_blocks_in_frustum(xyz, bounds, T_cam_src, camera, margin_px, min_depth_m, max_depth_m, out):
    """Every point is looked at."""
    return select_in_frustum(xyz, T_cam_src, camera, margin_px, min_depth_m, max_depth_m, out)


def move_surfels(xyz, tangents, rows, T_dst_src, xyz_dst, tangents_dst):
    xyz_dst[:] = xyz[rows].astype(np.float64) @ T_dst_src[:3, :3].T + T_dst_src[:3, 3]
    tangents_dst[:] = tangents[rows].astype(np.float64) @ T_dst_src[:3, :3].T


def viewing_geometry(xyz_cam, tangents, sweep, lidar_cam, focal_px, noise_m, trust, incidence):
    """By the angles themselves."""
    for i, p in enumerate(xyz_cam.astype(float)):
        beam, normal = p - lidar_cam[sweep[i]], np.cross(*tangents[i].astype(float))
        sine = np.linalg.norm(np.cross(beam, p)) / (np.linalg.norm(beam) * np.linalg.norm(p) + 1e-12)
        trust[i] = 1 / (1 + (noise_m * sine * focal_px / p[2]) ** 2)
        incidence[i] = abs(normal @ p) / max(np.linalg.norm(normal) * np.linalg.norm(p), 1e-9)
