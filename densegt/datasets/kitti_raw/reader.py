"""KITTI's raw recordings in their original folders."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from densegt.datasets.kitti_raw.drive import Drive
from densegt.datasets.kitti_raw.frames import Frames
from densegt.datasets.kitti_raw.layout import drive_folders
from densegt.datasets.kitti_raw.oxts import read_path
from densegt.datasets.kitti_raw.recording import DriveRecording
from densegt.datasets.kitti_raw.rig import Rig, read_rig
from densegt.datasets.kitti_raw.text_files import read_stamps_us
from densegt.datasets.kitti_raw.tracklets import read_tracklets, tracks_of
from densegt.datasets.pose_path import PosePath
from densegt.datasets.recording import RecordingOptions
from densegt.datasets.scene import Track
from densegt.errors import InputError
from densegt.suggestion import no_such_folder

CAMERAS = ("image_00", "image_01", "image_02", "image_03")
CALIBRATION = ("calib_cam_to_cam.txt", "calib_velo_to_cam.txt", "calib_imu_to_velo.txt")
IMAGES = (".png", ".jpg", ".jpeg")
# KITTI splits its raw drives nowhere; these are the validation half of its annotated depth.
VALIDATION = frozenset(
    f"{date}_drive_{drive}"
    for date, drives in {
        "2011_09_26": ("0002", "0005", "0013", "0020", "0023", "0036", "0079", "0095", "0113"),
        "2011_09_28": ("0037",),
        "2011_09_29": ("0026",),
        "2011_09_30": ("0016",),
        "2011_10_03": ("0047",),
    }.items()
    for drive in drives
)


class KittiRaw(DriveRecording):
    """Synchronised and rectified drives, each a scene named such as 2011_09_26_drive_0005; ego is the IMU."""

    def __init__(self, root: Path, version: str | None = None, options: RecordingOptions | None = None) -> None:
        """Open a drive, a day or the folder above.

        Args:
            version: there are none; None.
            options: what makes a keyframe, for KITTI marks none, and when its cameras expose.

        Raises:
            InputError: no drive in it, or none with points.
        """
        root = Path(root)
        if not root.is_dir():
            raise InputError(no_such_folder(root))
        if version is not None:
            raise InputError(f"{root}: KITTI's raw recordings have no versions; leave out {version!r}")
        folders = drive_folders(root)
        if not folders:
            what = "no synchronised and rectified drive in it, that is a folder such as 2011_09_26_drive_0005_sync"
            raise InputError(f"{root}: {what}")
        super().__init__(root, [_RawDrive(folder) for folder in folders], options)

    def validation_scenes(self) -> frozenset[str]:
        """The drives of the validation half of KITTI's annotated depth; the raw recordings have no split."""
        return VALIDATION & set(self.scene_names)


class _RawDrive(Drive):
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        every = {channel: _frames(folder / channel, IMAGES) for channel in CAMERAS}
        super().__init__(
            name=folder.resolve().name.removesuffix("_sync"),
            sweeps=_frames(folder / "velodyne_points", (".bin",)),
            images={channel: frames for channel, frames in every.items() if frames.files},
        )
        self.packets = _frames(folder / "oxts", (".txt",))

    @cached_property
    def rig(self) -> Rig:
        return read_rig(self._day, list(self.images))

    @cached_property
    def path(self) -> PosePath:
        return read_path(self.packets)

    @cached_property
    def tracks(self) -> tuple[Track, ...]:
        tracklets = read_tracklets(self._labels)
        return tracks_of(tracklets, self.name, self.stamps_us, self.path, self.rig.T_ego_lidar)

    @property
    def turns_us(self) -> NDArray[np.int64]:
        """From the stamps of start and end, where there are any: they hold where sweeps were left out."""
        start, end = (self.folder / "velodyne_points" / f"timestamps_{which}.txt" for which in ("start", "end"))
        if not (start.is_file() and end.is_file()):
            return super().turns_us
        starts_us, ends_us = read_stamps_us(start), read_stamps_us(end)
        if len(starts_us) != len(ends_us):
            raise InputError(f"{end}: {len(ends_us)} stamps, but {start.name} has {len(starts_us)}")
        return ends_us - starts_us

    def description(self) -> list[Path]:
        stamps = [*self.folder.glob("*/timestamps*.txt")]
        calibration = [self._day / name for name in CALIBRATION]
        return [*calibration, *sorted(stamps), *self.packets.files.values(), self._labels]

    @property
    def _day(self) -> Path:
        """The folder of the day, with its calibration."""
        return self.folder.resolve().parent

    @property
    def _labels(self) -> Path:
        return self.folder / "tracklet_labels.xml"


def _frames(sensor: Path, suffixes: tuple[str, ...]) -> Frames:
    return Frames(sensor / "data", sensor / "timestamps.txt", suffixes)
