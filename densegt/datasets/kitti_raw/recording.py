"""Drives as a recording: what the readers of KITTI raw and KITTI-360 share."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from densegt.datasets.keyframes import Keyframe, keyframes_of
from densegt.datasets.kitti_raw.drive import Drive, warn_once
from densegt.datasets.kitti_raw.object_kinds import class_of
from densegt.datasets.kitti_raw.scene import Keyframes, build_scene
from densegt.datasets.kitti_raw.velodyne import BYTES_PER_POINT, read_points
from densegt.datasets.recording import RecordingOptions, some
from densegt.datasets.scene import Points, Scene, Sweep
from densegt.errors import InputError


class DriveRecording:
    """A folder of drives, each a scene."""

    def __init__(self, root: Path, drives: Sequence[Drive], options: RecordingOptions | None) -> None:
        """Set aside drives without points, naming them.

        Raises:
            InputError: no drive has any.
        """
        self._root = root
        self._options = options or RecordingOptions()
        with_points = [drive for drive in drives if drive.sweeps.files]
        self._without_points = [drive for drive in drives if not drive.sweeps.files]
        self._drives = {drive.name: drive for drive in with_points}
        if not self._drives:
            raise InputError(f"{root}: no sweep of the velodyne in {some([str(d.sweeps.data) for d in drives], 2)}")
        if self._without_points:
            names = some([drive.name for drive in self._without_points])
            warn_once(f"{root}: drives without velodyne points are set aside: {names}")

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._root, None, self._options)

    @property
    def root(self) -> Path:
        """The folder that was opened."""
        return self._root

    @property
    def source(self) -> Path:
        """The same."""
        return self._root

    @property
    def scene_names(self) -> Sequence[str]:
        """Names of the drives that have points."""
        return list(self._drives)

    def _drive(self, name: str) -> Drive:
        for drive in self._without_points:
            if drive.name == name:
                raise InputError(f"{drive.sweeps.data}: no sweep in it, so {name} is no scene")
        if name not in self._drives:
            raise InputError(f"{self._root}: no drive {name!r}; there is {some(self.scene_names)}")
        return self._drives[name]

    def _keyframes(self, name: str) -> tuple[Drive, Keyframes]:
        drive = self._drive(name)
        return drive, Keyframes.of(drive, self._options)

    def scene(self, name: str, *, cameras: Sequence[str] = (), keyframes_only: bool = False) -> Scene:
        """A drive as a scene; see `Recording.scene`.

        Raises:
            InputError: unknown drive or camera; a file is damaged; no pose is known at any sweep.
        """
        drive, keyframes = self._keyframes(name)
        return build_scene(drive, self._root, keyframes, cameras=cameras, keyframes_only=keyframes_only)

    def keyframes(self, name: str) -> list[Keyframe]:
        """See `Recording.keyframes`."""
        return keyframes_of(self.scene(name, keyframes_only=True), class_of)

    def keyframe_count(self, name: str) -> int:
        """See `Recording.keyframe_count`."""
        return len(self._keyframes(name)[1].numbers)

    def steps(self, name: str) -> int:
        """See `Recording.steps`."""
        drive, keyframes = self._keyframes(name)
        images = sum(number in images.files for images in drive.images.values() for number in keyframes.numbers)
        return len(drive.frames) + images

    def point_count(self, name: str) -> int:
        """Told from the sizes of the sweeps' files."""
        paths = self._drive(name).sweeps.files.values()
        return sum(path.stat().st_size if path.exists() else 0 for path in paths) // BYTES_PER_POINT

    def fingerprint(self, name: str) -> str:
        """See `Recording.fingerprint`."""
        drive, keyframes = self._keyframes(name)
        return drive.fingerprint(keyframes.numbers, keyframes.at_image_stamps)

    def read_points(self, sweep: Sweep) -> Points:
        """One sweep's returns; see `densegt.datasets.kitti_raw.velodyne`."""
        return read_points(sweep)
