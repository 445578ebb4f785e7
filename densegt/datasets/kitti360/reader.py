"""KITTI-360: its two rectified cameras and the velodyne; fisheyes, side lidars and boxes are left out."""

from __future__ import annotations

import re
from functools import cached_property
from pathlib import Path

from densegt.datasets.kitti360.calibration import read_rig
from densegt.datasets.kitti360.poses import read_path
from densegt.datasets.kitti_raw.drive import Drive
from densegt.datasets.kitti_raw.frames import Frames
from densegt.datasets.kitti_raw.reader import IMAGES
from densegt.datasets.kitti_raw.recording import DriveRecording
from densegt.datasets.kitti_raw.rig import Rig
from densegt.datasets.pose_path import PosePath
from densegt.datasets.recording import RecordingOptions
from densegt.datasets.scene import Track
from densegt.errors import InputError

CAMERAS = ("image_00", "image_01")
CALIBRATION = ("perspective.txt", "calib_cam_to_pose.txt", "calib_cam_to_velo.txt")
_DRIVE = re.compile(r"\d{4}_\d\d_\d\d_drive_\d{4}_sync")
# One drive in so many is held out, counted from the last: the data set splits windows within drives, not drives.
_HOLD_OUT_EVERY = 5


class Kitti360(DriveRecording):
    """A folder with data_3d_raw, each drive a scene named such as 2013_05_28_drive_0000; ego is the GPS/IMU."""

    def __init__(self, root: Path, version: str | None = None, options: RecordingOptions | None = None) -> None:
        """Open the folder that holds calibration, data_2d_raw, data_3d_raw and data_poses.

        Args:
            version: there are none; None.
            options: what makes a keyframe, for KITTI-360 marks none, and when its cameras expose.

        Raises:
            InputError: no drive in it, or none with points.
        """
        root = Path(root)
        if version is not None:
            raise InputError(f"{root}: KITTI-360 has no versions; leave out {version!r}")
        points = root / "data_3d_raw"
        if not points.is_dir():
            raise InputError(f"{root}: no data_3d_raw in it; densegt reads its velodyne_points")
        names = sorted(path.name for path in points.iterdir() if _DRIVE.fullmatch(path.name))
        if not names:
            raise InputError(f"{points}: no drive in it, that is a folder such as 2013_05_28_drive_0000_sync")
        super().__init__(root, [_Drive360(root, name) for name in names], options)

    def validation_scenes(self) -> frozenset[str]:
        """The last of the drives, and each fifth before it."""
        return frozenset(list(self.scene_names)[::-1][::_HOLD_OUT_EVERY])


class _Drive360(Drive):
    def __init__(self, root: Path, folder: str) -> None:
        self._root = root
        self._poses = root / "data_poses" / folder / "poses.txt"
        velodyne = root / "data_3d_raw" / folder / "velodyne_points"
        pictures = root / "data_2d_raw" / folder
        every = {
            channel: Frames(pictures / channel / "data_rect", pictures / channel / "timestamps.txt", IMAGES)
            for channel in CAMERAS
        }
        super().__init__(
            name=folder.removesuffix("_sync"),
            sweeps=Frames(velodyne / "data", velodyne / "timestamps.txt", (".bin",)),
            images={channel: frames for channel, frames in every.items() if frames.files},
        )

    @cached_property
    def rig(self) -> Rig:
        return read_rig(self._root / "calibration", list(self.images))

    @cached_property
    def path(self) -> PosePath:
        return read_path(self._poses, self.stamps_us)

    @cached_property
    def tracks(self) -> tuple[Track, ...]:
        # Its boxes stand in the world, most of them without a time: no tracks.
        return ()

    def description(self) -> list[Path]:
        calibration = [self._root / "calibration" / name for name in CALIBRATION]
        stamps = [frames.timestamps for frames in (self.sweeps, *self.images.values())]
        return [*calibration, *stamps, self._poses]
