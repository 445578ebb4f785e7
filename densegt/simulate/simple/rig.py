"""The recording car's sensors: nuScenes' mounting, small differences from scene to scene, and when each one fires."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from densegt.datasets.lidar_model import LidarModel
from densegt.simulate.drive import CameraMount, Rig

Float64 = NDArray[np.float64]

SPIN = LidarModel()
"""Clockwise, 20 Hz, from +110 degrees in ego round to +110 degrees at the stamp."""

BEAMS = 32
COLUMNS = 1085
ELEVATIONS_RAD = np.deg2rad(np.linspace(-30.67, 10.67, BEAMS))

# channel: yaw deg (left positive), pitch deg (up positive), x, y, z in ego m, focal length and middle in px at 1600x900
_CAMERAS = {
    "CAM_FRONT": (0.3, -0.3, 1.70, 0.02, 1.51, 1266.4, 816.3, 491.5),
    "CAM_FRONT_RIGHT": (-56.4, -0.8, 1.55, -0.49, 1.50, 1260.8, 808.0, 495.3),
    "CAM_FRONT_LEFT": (55.2, 0.1, 1.52, 0.49, 1.51, 1272.6, 826.6, 479.8),
    "CAM_BACK": (179.9, 1.0, 0.03, 0.00, 1.58, 809.2, 829.2, 481.8),
    "CAM_BACK_LEFT": (112.5, -0.9, 1.04, 0.48, 1.59, 1256.7, 792.1, 492.8),
    "CAM_BACK_RIGHT": (-110.8, -0.9, 1.01, -0.48, 1.56, 1259.5, 807.3, 501.2),
}
CHANNELS = ("LIDAR_TOP", *_CAMERAS)
LIDAR_M = (0.944, 0.0, 1.84)
LIDAR_YAW_RAD = -np.pi / 2
"""The lidar's x axis points right and its y axis ahead."""


def make_rig(rng: np.random.Generator, *, width_px: int, height_px: int) -> Rig:
    """nuScenes' rig, each angle off by up to half a degree, at this image size."""
    cameras = []
    for channel, (yaw, pitch, x, y, z, f, cx, cy) in _CAMERAS.items():
        turn = np.deg2rad(np.array([yaw, pitch, 0.0]) + rng.uniform(-0.5, 0.5, 3))
        sx, sy = width_px / 1600, height_px / 900
        K = np.array([[f * sx, 0, (cx + 0.5) * sx - 0.5], [0, f * sy, (cy + 0.5) * sy - 0.5], [0, 0, 1]])
        place = np.array([x, y, z]) + rng.uniform(-0.01, 0.01, 3)
        T_ego_cam = camera_pose(float(turn[0]), float(turn[1]), float(turn[2]), place)
        cameras.append(CameraMount(channel, K, T_ego_cam, before_stamp_s(float(turn[0]))))
    roll, pitch = np.deg2rad(rng.uniform(-0.8, 0.8, 2))
    T_ego_lidar = np.eye(4)
    T_ego_lidar[:3, :3] = _euler(LIDAR_YAW_RAD + np.deg2rad(rng.uniform(-0.5, 0.5)), float(pitch), float(roll))
    T_ego_lidar[:3, 3] = LIDAR_M
    return Rig(tuple(cameras), T_ego_lidar)


def before_stamp_s(yaw_rad: float) -> float:
    """How long before the stamp the beam points along `yaw_rad` in ego."""
    since_scan_start = (SPIN.scan_start_azimuth_rad - yaw_rad) % (2 * np.pi)
    return float(SPIN.period_s * (1 - since_scan_start / (2 * np.pi)))


def camera_pose(yaw_rad: float, pitch_up_rad: float, roll_rad: float, xyz: Float64) -> Float64:
    """T_ego_cam of a camera that looks along yaw and pitch."""
    ahead_left_up = np.array([[0.0, 0.0, 1.0], [-1.0, 0.0, 0.0], [0.0, -1.0, 0.0]])  # from x right, y down, z ahead
    T = np.eye(4)
    T[:3, :3] = _euler(yaw_rad, -pitch_up_rad, roll_rad) @ ahead_left_up
    T[:3, 3] = xyz
    return T


def _euler(yaw: float, pitch: float, roll: float) -> Float64:
    from scipy.spatial.transform import Rotation

    R: Float64 = Rotation.from_euler("ZYX", [yaw, pitch, roll]).as_matrix()
    return R
