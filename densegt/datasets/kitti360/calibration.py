"""Where KITTI-360's velodyne and rectified cameras sit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from densegt.datasets.kitti_raw.rig import CalibrationFile, RectifiedCamera, Rig, rotation
from densegt.datasets.kitti_raw.text_files import numbers, read_text
from densegt.geometry import se3


def read_rig(folder: Path, cameras: list[str]) -> Rig:
    """The calibration of all drives; ego is the GPS/IMU.

    Args:
        folder: with perspective.txt, calib_cam_to_pose.txt and calib_cam_to_velo.txt.
        cameras: such as image_00.

    Raises:
        InputError: a file is missing or damaged.
    """
    to_pose = CalibrationFile(folder / "calib_cam_to_pose.txt")
    perspective = CalibrationFile(folder / "perspective.txt")
    to_velo = folder / "calib_cam_to_velo.txt"
    T_velo_cam0 = _transform(to_velo, "transform", numbers(to_velo, read_text(to_velo), 12, "transform"))
    found = {}
    for channel in cameras:
        camera = channel.removeprefix("image_")
        # Those transforms are of the cameras as they are mounted, before rectification turns them.
        R_rect = np.eye(4)
        R_rect[:3, :3] = perspective.rotation(f"R_rect_{camera}")
        width_px, height_px = perspective.size_px(camera)
        K = perspective.projection(camera)[:, :3].copy()
        T_ego_cam = _mounted(to_pose, channel) @ se3.inverse(R_rect)
        found[channel] = RectifiedCamera(K, width_px, height_px, T_ego_cam)
    return Rig(_mounted(to_pose, "image_00") @ se3.inverse(T_velo_cam0), found)


def _mounted(file: CalibrationFile, channel: str) -> NDArray[np.float64]:
    return _transform(file.path, channel, file.values(channel, 12))


def _transform(path: Path, what: str, values: NDArray[np.float64]) -> NDArray[np.float64]:
    T = np.eye(4)
    T[:3] = values.reshape(3, 4)
    T[:3, :3] = rotation(path, what, T[:3, :3])
    return T
