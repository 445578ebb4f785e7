"""Cameras around a car, for tests of what is geometry."""

from __future__ import annotations

import math

import torch

CAM_AXES = torch.tensor([[0.0, 0, 1], [-1, 0, 0], [0, -1, 0]], dtype=torch.float64)


def rig(yaws_deg, *, width_px, height_px, focal_px):
    """K (1,V,3,3) and T_ref_cam (1,V,4,4), float64; ref has x ahead, y left, z up."""
    poses = []
    for yaw in map(math.radians, yaws_deg):
        turn = torch.tensor([[math.cos(yaw), -math.sin(yaw), 0], [math.sin(yaw), math.cos(yaw), 0], [0, 0, 1]])
        pose = torch.eye(4, dtype=torch.float64)
        pose[:3, :3] = turn.double() @ CAM_AXES
        pose[:3, 3] = turn.double() @ torch.tensor([1.0, 0.0, 1.5], dtype=torch.float64)
        poses.append(pose)
    K = torch.tensor(
        [[focal_px, 0, (width_px - 1) / 2], [0, focal_px, (height_px - 1) / 2], [0, 0, 1]], dtype=torch.float64
    )
    return K.expand(1, len(poses), 3, 3).contiguous(), torch.stack(poses)[None]
