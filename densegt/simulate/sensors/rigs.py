"""Rigs: which cameras and lidar a recording car carries, and where."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from densegt.simulate.drive import CameraMount, Rig
from densegt.simulate.sensors.lidar_model import LidarSpec

Float64 = NDArray[np.float64]

_Camera = tuple[float, float, float, float, float, float, float]
"""Yaw and pitch in deg (left and up positive), x, y, z in ego m, then focal length over width, and cy over height."""


@dataclass(frozen=True)
class RigPlan:
    """A rig before it is drawn: cameras by channel, and the lidar's place and yaw (deg) in ego."""

    cameras: dict[str, _Camera]
    lidar_m: tuple[float, float, float]
    lidar_yaw_deg: float


PLANS: dict[str, RigPlan] = {
    "nuscenes": RigPlan(
        {
            "CAM_FRONT": (0.3, -0.3, 1.70, 0.02, 1.51, 0.7915, 0.546),
            "CAM_FRONT_RIGHT": (-56.4, -0.8, 1.55, -0.49, 1.50, 0.788, 0.55),
            "CAM_FRONT_LEFT": (55.2, 0.1, 1.52, 0.49, 1.51, 0.7954, 0.533),
            "CAM_BACK": (179.9, 1.0, 0.03, 0.00, 1.58, 0.5058, 0.535),
            "CAM_BACK_LEFT": (112.5, -0.9, 1.04, 0.48, 1.59, 0.7854, 0.548),
            "CAM_BACK_RIGHT": (-110.8, -0.9, 1.01, -0.48, 1.56, 0.7872, 0.557),
        },
        (0.944, 0.0, 1.84), -90.0,
    ),
    "kitti": RigPlan(
        {
            "CAM_FRONT_LEFT": (0.0, 0.0, 1.36, 0.06, 1.65, 0.581, 0.47),
            "CAM_FRONT_RIGHT": (0.0, 0.0, 1.36, -0.48, 1.65, 0.581, 0.47),
        },
        (1.08, 0.32, 1.73), 0.0,
    ),
    "argoverse": RigPlan(
        {
            "CAM_FRONT": (0.0, 0.0, 1.63, 0.0, 1.40, 0.82, 0.5),
            "CAM_FRONT_LEFT": (45.0, 0.0, 1.55, 0.18, 1.40, 0.82, 0.5),
            "CAM_FRONT_RIGHT": (-45.0, 0.0, 1.55, -0.18, 1.40, 0.82, 0.5),
            "CAM_SIDE_LEFT": (99.0, 0.0, 1.31, 0.26, 1.40, 0.82, 0.5),
            "CAM_SIDE_RIGHT": (-99.0, 0.0, 1.31, -0.26, 1.40, 0.82, 0.5),
            "CAM_BACK_LEFT": (153.0, 0.0, 1.08, 0.16, 1.40, 0.82, 0.5),
            "CAM_BACK_RIGHT": (-153.0, 0.0, 1.08, -0.16, 1.40, 0.82, 0.5),
        },
        (1.35, 0.0, 1.64), 0.0,
    ),
}  # fmt: skip
CHANNELS = ("LIDAR_TOP", *dict.fromkeys(channel for plan in PLANS.values() for channel in plan.cameras))


def make_rig(rng: np.random.Generator, plan: RigPlan, lidar: LidarSpec, *, width_px: int, height_px: int) -> Rig:
    """A rig at this image size, every angle and place a little off."""
    lift = float(rng.uniform(-0.08, 0.15))
    cameras = []
    for channel, (yaw, pitch, x, y, z, focal, middle) in plan.cameras.items():
        turn = np.deg2rad(np.array([yaw, pitch, 0.0]) + rng.uniform(-0.5, 0.5, 3))
        f = focal * width_px * float(rng.uniform(0.97, 1.03))
        cx, cy = width_px * (0.5 + rng.uniform(-0.02, 0.02)) - 0.5, height_px * middle - 0.5
        K = np.array([[f, 0, cx], [0, f, cy], [0, 0, 1]])
        place = np.array([x, y, z + lift]) + rng.uniform(-0.01, 0.01, 3)
        cameras.append(CameraMount(channel, K, camera_pose(turn, place), _before_stamp_s(lidar, float(turn[0]))))
    T_ego_lidar = np.eye(4)
    tilt = np.deg2rad(rng.uniform(-0.8, 0.8, 2))
    yaw = np.deg2rad(plan.lidar_yaw_deg + rng.uniform(-0.5, 0.5))
    T_ego_lidar[:3, :3] = _euler(float(yaw), float(tilt[0]), float(tilt[1]))
    T_ego_lidar[:3, 3] = np.add(plan.lidar_m, (0, 0, lift))
    return Rig(tuple(cameras), T_ego_lidar)


def _before_stamp_s(lidar: LidarSpec, yaw_rad: float) -> float:
    """How long before the stamp the beam points along `yaw_rad` in ego."""
    way = -1.0 if lidar.clockwise else 1.0
    share = (way * (yaw_rad - lidar.scan_start_azimuth_rad)) % (2 * np.pi) / (2 * np.pi)
    return float(lidar.period_s * (lidar.stamp_fraction - share))


def camera_pose(yaw_pitch_roll_rad: Float64, xyz: Float64) -> Float64:
    """T_ego_cam of a camera that looks along yaw (left positive) and pitch (up positive)."""
    yaw, pitch, roll = map(float, yaw_pitch_roll_rad)
    T = np.eye(4)
    T[:3, :3] = _euler(yaw, -pitch, roll) @ [[0.0, 0.0, 1.0], [-1.0, 0.0, 0.0], [0.0, -1.0, 0.0]]
    T[:3, 3] = xyz
    return T


def _euler(yaw: float, pitch: float, roll: float) -> Float64:
    from scipy.spatial.transform import Rotation

    R: Float64 = Rotation.from_euler("ZYX", [yaw, pitch, roll]).as_matrix()
    return R
