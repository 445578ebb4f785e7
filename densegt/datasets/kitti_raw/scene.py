"""From a drive to `Scene`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from densegt.datasets.image_size import size_of
from densegt.datasets.kitti_raw.drive import Drive
from densegt.datasets.kitti_raw.rig import RectifiedCamera
from densegt.datasets.kitti_raw.velodyne import CHANNEL, read_points
from densegt.datasets.recording import RecordingOptions, unknown_camera
from densegt.datasets.scene import Camera, Lidar, Scene, Sweep
from densegt.errors import InputError

Float64 = NDArray[np.float64]


@dataclass(frozen=True)
class Keyframes:
    """The keyframes of a drive.

    Attributes:
        numbers: of their sweeps, in order.
        at_image_stamps: whether the cameras expose at their images' stamps, or else at the sweep's.
    """

    numbers: tuple[int, ...]
    at_image_stamps: bool

    @classmethod
    def of(cls, drive: Drive, options: RecordingOptions) -> Keyframes:
        """Every n-th sweep of the recording; one whose sweep is missing is none."""
        there = drive.frames
        chosen = np.intersect1d(options.keyframe_rows(drive.stamps_us), there)
        if not len(chosen):
            chosen = there[options.keyframe_rows(drive.stamps_us[there])]
        return cls(tuple(chosen.tolist()), options.exposure == "image")


def build_scene(
    drive: Drive, root: Path, keyframes: Keyframes, *, cameras: Sequence[str] = (), keyframes_only: bool = False
) -> Scene:
    """A drive as a scene.

    Args:
        root: names of images are relative to it.
        cameras: channels to keep; all where empty.
        keyframes_only: leave the sweeps between keyframes out.

    Raises:
        InputError: unknown camera; a file is damaged; no pose is known at any sweep.
    """
    for channel in cameras:
        if channel not in drive.images:
            raise unknown_camera(drive.sweeps.data.parents[1], channel, list(drive.images))
    lidar = Lidar(CHANNEL, drive.rig.T_ego_lidar, drive.lidar_model)
    return Scene(
        name=drive.name,
        lidars=(lidar,),
        sweeps=_sweeps(drive, lidar, keyframes.numbers, keyframes.numbers if keyframes_only else drive.frames.tolist()),
        cameras=_cameras(drive, root, keyframes, cameras or list(drive.images)),
        tracks=drive.tracks,
        read_points=read_points,
    )


def _sweeps(drive: Drive, lidar: Lidar, keyframes: Sequence[int], numbers: Sequence[int]) -> tuple[Sweep, ...]:
    stamps_us = drive.stamps_us[list(numbers)]
    belongs = np.maximum(np.searchsorted(keyframes, numbers, side="right") - 1, 0)
    return tuple(
        Sweep(
            token=f"{drive.token(number)}_{CHANNEL}",
            sample_token=drive.token(keyframes[keyframe]),
            is_keyframe=number == keyframes[keyframe],
            path=drive.sweeps.files[number],
            timestamp_us=stamp_us,
            lidar=lidar,
            T_global_ego=T_global_ego,
        )
        for number, keyframe, stamp_us, T_global_ego in zip(
            numbers, belongs.tolist(), stamps_us.tolist(), drive.path.at(stamps_us), strict=True
        )
    )


def _cameras(drive: Drive, root: Path, keyframes: Keyframes, channels: Sequence[str]) -> tuple[Camera, ...]:
    found = []
    for channel in channels:
        images, calibration = drive.images[channel], drive.rig.cameras[channel]
        numbers = [number for number in keyframes.numbers if number in images.files]
        stamps_us = (images if keyframes.at_image_stamps else drive).stamps_us[numbers]
        known = drive.path.knows(stamps_us).tolist()
        for number, stamp_us, T, k in zip(numbers, stamps_us.tolist(), drive.path.at(stamps_us), known, strict=True):
            if k:
                _check_size(images.files[number], calibration)
                found.append(_camera(drive, root, channel, number, stamp_us, T))
    return tuple(sorted(found, key=lambda camera: camera.timestamp_us))


def _camera(drive: Drive, root: Path, channel: str, number: int, stamp_us: int, T_global_ego: Float64) -> Camera:
    calibration, path = drive.rig.cameras[channel], drive.images[channel].files[number]
    return Camera(
        token=f"{drive.token(number)}_{channel}",
        sample_token=drive.token(number),
        channel=channel,
        image_path=path,
        filename=path.relative_to(root).as_posix(),
        width_px=calibration.width_px,
        height_px=calibration.height_px,
        timestamp_us=stamp_us,
        K=calibration.K,
        T_ego_cam=calibration.T_ego_cam,
        T_global_ego=T_global_ego,
    )


def _check_size(path: Path, calibration: RectifiedCamera) -> None:
    size, expected = size_of(path), (calibration.width_px, calibration.height_px)
    if size is not None and size != expected:
        raise InputError(f"{path}: {size[0]}x{size[1]} px, but the calibration says {expected[0]}x{expected[1]}")
