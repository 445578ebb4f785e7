"""Where a drive's sensors sit on the car."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from densegt.datasets.kitti_raw.text_files import numbers, read_named_lines
from densegt.errors import InputError
from densegt.geometry import se3

Float64 = NDArray[np.float64]


@dataclass(frozen=True)
class RectifiedCamera:
    """A camera whose images have no distortion left.

    Attributes:
        K: (3,3) px.
        T_ego_cam: (4,4).
    """

    K: Float64
    width_px: int
    height_px: int
    T_ego_cam: Float64


@dataclass(frozen=True)
class Rig:
    """The lidar and the cameras by channel."""

    T_ego_lidar: Float64
    cameras: dict[str, RectifiedCamera]


class CalibrationFile:
    """A file of calibration: numbers under names."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lines = read_named_lines(path)

    def __contains__(self, name: str) -> bool:
        return name in self._lines

    def values(self, name: str, count: int) -> Float64:
        """The numbers under a name.

        Raises:
            InputError: there is no such name, or not so many finite numbers.
        """
        if name not in self._lines:
            raise InputError(f"{self.path}: no {name} in it")
        return numbers(self.path, self._lines[name], count, name)

    def rotation(self, name: str) -> Float64:
        """A rotation (3,3)."""
        return rotation(self.path, name, self.values(name, 9).reshape(3, 3))

    def transform(self) -> Float64:
        """The transform (4,4) of R and T."""
        T = np.eye(4)
        T[:3, :3], T[:3, 3] = self.rotation("R"), self.values("T", 3)
        return T

    def projection(self, camera: str) -> Float64:
        """P_rect (3,4) of a camera such as 02.

        Raises:
            InputError: it is no pinhole camera's.
        """
        P = self.values(f"P_rect_{camera}", 12).reshape(3, 4)
        if P[0, 0] <= 0 or P[1, 1] <= 0 or not np.array_equal(P[2, :3], (0, 0, 1)):
            raise InputError(f"{self.path}: P_rect_{camera} is no rectified camera's: {P.tolist()}")
        return P

    def size_px(self, camera: str) -> tuple[int, int]:
        """Width and height of a camera's rectified images."""
        width, height = self.values(f"S_rect_{camera}", 2)
        if not (1 <= width <= 2**16 and 1 <= height <= 2**16):
            raise InputError(f"{self.path}: S_rect_{camera}: {width:g}x{height:g} px is no image's size")
        return int(width), int(height)


def rotation(path: Path, what: str, R: Float64) -> Float64:
    """The rotation next to a matrix (3,3) that was written with few digits.

    Raises:
        InputError: it is far from any.
    """
    U, _, Vt = np.linalg.svd(R)
    nearest: Float64 = U @ Vt
    if np.linalg.det(nearest) < 0 or np.abs(nearest - R).max() > 1e-3:
        raise InputError(f"{path}: {what} is no rotation: {R.tolist()}")
    return nearest


def read_rig(folder: Path, cameras: list[str]) -> Rig:
    """A day's calibration; ego is the IMU.

    Args:
        folder: with calib_cam_to_cam.txt, calib_velo_to_cam.txt and calib_imu_to_velo.txt.
        cameras: such as image_02.

    Raises:
        InputError: a file is missing or damaged.
    """
    T_ego_lidar = se3.inverse(CalibrationFile(folder / "calib_imu_to_velo.txt").transform())
    to_cam = CalibrationFile(folder / "calib_cam_to_cam.txt")
    R_rect = np.eye(4)
    R_rect[:3, :3] = to_cam.rotation("R_rect_00")
    # Every rectified camera has the axes of the first; only their places differ.
    T_cam0_lidar = R_rect @ CalibrationFile(folder / "calib_velo_to_cam.txt").transform()
    found = {}
    for channel in cameras:
        P = to_cam.projection(channel.removeprefix("image_"))
        K = P[:, :3].copy()
        T_cam_cam0 = np.eye(4)
        T_cam_cam0[:3, 3] = np.linalg.solve(K, P[:, 3])
        width_px, height_px = to_cam.size_px(channel.removeprefix("image_"))
        T_ego_cam = T_ego_lidar @ se3.inverse(T_cam_cam0 @ T_cam0_lidar)
        found[channel] = RectifiedCamera(K, width_px, height_px, T_ego_cam)
    return Rig(T_ego_lidar, found)
