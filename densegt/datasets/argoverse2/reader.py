"""From Argoverse 2 logs to `Scene`. Quirks of the format (nanoseconds, float16, two lidars in a file) end here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from densegt.datasets.argoverse2.calibration import CameraCalibration
from densegt.datasets.argoverse2.categories import class_of
from densegt.datasets.argoverse2.log import POSES, Log
from densegt.datasets.argoverse2.submission import write_submission
from densegt.datasets.argoverse2.sweep_file import points_of, read_returns
from densegt.datasets.file_names import can_name_file
from densegt.datasets.image_size import size_of
from densegt.datasets.keyframes import Keyframe, keyframes_of
from densegt.datasets.recording import RecordingOptions, some, unknown_camera
from densegt.datasets.scene import Camera, Points, Scene, Sweep, Track
from densegt.errors import InputError
from densegt.suggestion import no_such_folder


def _log_folders(root: Path) -> Iterator[Path]:
    for level in ("", "*/", "*/*/"):
        yield from (path.parent for path in root.glob(level + POSES))


class Argoverse2:
    """Logs of the Argoverse 2 sensor data set, each a scene named by its folder."""

    def __init__(self, root: Path, version: str | None = None, options: RecordingOptions | None = None) -> None:
        """Open a log, a split or the folder above.

        Args:
            version: there are none; None.
            options: what makes a keyframe, for Argoverse 2 marks none.

        Raises:
            InputError: no log in it, or two of one name.
        """
        self._root = Path(root)
        self._options = options or RecordingOptions()
        if not self._root.is_dir():
            raise InputError(no_such_folder(self._root))
        if version is not None:
            raise InputError(f"{self._root}: an Argoverse 2 folder has no versions; leave out {version!r}")
        # A log's name is that of its folder, even where one stands in it.
        folders = sorted((path.resolve().name, path) for path in _log_folders(self._root))
        if not folders:
            raise InputError(f"{self._root}: no log in it, that is a folder with {POSES}")
        self._folders = dict(folders)
        for name, path in folders:
            if self._folders[name] != path:
                raise InputError(f"{path}: a log of that name also stands in {self._folders[name].parent}")
            if not can_name_file(name):
                raise InputError(f"{path}: a log's folder is named {name!r}, which cannot name a file")
        self._newest: Log | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        return Argoverse2, (self._root, None, self._options)

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
        """Names of the logs."""
        return list(self._folders)

    def _log(self, name: str) -> Log:
        if name not in self._folders:
            raise InputError(f"{self._root}: no log {name!r}; there is {some(self.scene_names)}")
        if self._newest is None or self._newest.folder != self._folders[name]:
            self._newest = Log(self._folders[name])
        return self._newest

    def _keyframes_ns(self, log: Log) -> NDArray[np.int64]:
        return log.stamps_ns[self._options.keyframe_rows(log.stamps_ns // 1000)]

    def scene(self, name: str, *, cameras: Sequence[str] = (), keyframes_only: bool = False) -> Scene:
        """A log as a scene; see `Recording.scene`. Each sweep's file is two sweeps, one of each lidar.

        Raises:
            InputError: unknown log or camera, a table that is missing or damaged, no sweep, or a first sweep that
                cannot be read.
        """
        log = self._log(name)
        if not len(log.stamps_ns):
            raise InputError(f"{log.folder / 'sensors' / 'lidar'}: no sweep in it (<stamp in ns>.feather)")
        return Scene(
            name=name,
            lidars=tuple(log.lidars.values()),
            sweeps=self._sweeps(log, keyframes_only),
            cameras=self._cameras(log, cameras),
            tracks=log.annotated[0],
            read_points=self.read_points,
        )

    def _sweeps(self, log: Log, keyframes_only: bool) -> tuple[Sweep, ...]:
        keyframes_ns = self._keyframes_ns(log)
        stamps_ns = keyframes_ns if keyframes_only else log.stamps_ns
        belongs = keyframes_ns[np.searchsorted(keyframes_ns, stamps_ns, side="right") - 1]
        poses = log.poses.at(stamps_ns)
        return tuple(
            Sweep(
                token=f"{_token(log, stamp_ns)}_{lidar.channel}",
                sample_token=_token(log, keyframe_ns),
                is_keyframe=stamp_ns == keyframe_ns,
                path=log.sweep_path(stamp_ns),
                timestamp_us=stamp_ns // 1000,
                lidar=lidar,
                T_global_ego=T_global_ego,
            )
            for stamp_ns, keyframe_ns, T_global_ego in zip(stamps_ns.tolist(), belongs.tolist(), poses, strict=True)
            for lidar in log.lidars.values()
        )

    def _cameras(self, log: Log, wanted: Sequence[str]) -> tuple[Camera, ...]:
        known = log.calibration.cameras
        for channel in wanted:
            if channel not in known:
                raise unknown_camera(log.folder / "calibration", channel, list(known))
        found = []
        for channel, calibration in known.items():
            if not wanted or channel in wanted:
                exposures = log.exposures_ns(channel, self._keyframes_ns(log))
                poses = log.poses.at(np.array(list(exposures.values()), dtype=np.int64))
                for (keyframe_ns, stamp_ns), T_global_ego in zip(exposures.items(), poses, strict=True):
                    found.append(self._camera(log, channel, calibration, keyframe_ns, stamp_ns, T_global_ego))
        return tuple(sorted(found, key=lambda camera: camera.timestamp_us))

    def _camera(
        self,
        log: Log,
        channel: str,
        calibration: CameraCalibration,
        keyframe_ns: int,
        stamp_ns: int,
        T_global_ego: NDArray[np.float64],
    ) -> Camera:
        path = log.image_path(channel, stamp_ns)
        size = size_of(path)
        if size is not None and size != (calibration.width_px, calibration.height_px):
            what = f"but calibration says {calibration.width_px}x{calibration.height_px}"
            raise InputError(f"{path}: {size[0]}x{size[1]} px, {what}")
        return Camera(
            token=f"{_token(log, stamp_ns)}_{channel}",
            sample_token=_token(log, keyframe_ns),
            channel=channel,
            image_path=path,
            filename=path.relative_to(self._root).as_posix(),
            width_px=calibration.width_px,
            height_px=calibration.height_px,
            timestamp_us=stamp_ns // 1000,
            K=calibration.K,
            T_ego_cam=calibration.T_ego_cam,
            T_global_ego=T_global_ego,
        )

    def read_points(self, sweep: Sweep) -> Points:
        """One lidar's returns; a file is read once for both."""
        log = self._log(sweep.path.parents[2].resolve().name)
        returns = read_returns(sweep.path)
        return points_of(returns, sweep.T_ego_lidar, sweep.lidar.channel == log.lower_half)

    def keyframes(self, name: str) -> list[Keyframe]:
        """See `Recording.keyframes`."""
        counts = self._log(name).annotated[1]

        def points(track: Track, at: int) -> int:
            return counts[track.token, int(track.timestamps_us[at])]

        return keyframes_of(self.scene(name, keyframes_only=True), class_of, points)

    submission_name = "submission.feather"

    def write_submission(
        self, path: Path, results: Mapping[str, Sequence[Mapping[str, Any]]], keyframes: Sequence[Keyframe]
    ) -> None:
        """See `densegt.datasets.argoverse2.submission`."""
        write_submission(path, results, keyframes)

    def keyframe_count(self, name: str) -> int:
        """See `Recording.keyframe_count`."""
        return len(self._keyframes_ns(self._log(name)))

    def steps(self, name: str) -> int:
        """See `Recording.steps`; of images those of the cameras that the calibration knows."""
        log = self._log(name)
        keyframes_ns = self._keyframes_ns(log)
        images = sum(len(log.exposures_ns(channel, keyframes_ns)) for channel in log.calibration.cameras)
        return 2 * len(log.stamps_ns) + images

    def point_count(self, name: str) -> int:
        """As many in each sweep as in the first."""
        log = self._log(name)
        return len(read_returns(log.sweep_path(int(log.stamps_ns[0]))).time_s) * len(log.stamps_ns)

    def fingerprint(self, name: str) -> str:
        """See `Recording.fingerprint`."""
        log = self._log(name)
        return sha256(f"{log.fingerprint()} {self._keyframes_ns(log).tolist()}".encode()).hexdigest()

    def validation_scenes(self) -> frozenset[str]:
        """The logs in a folder named val."""
        return frozenset(name for name, folder in self._folders.items() if folder.resolve().parent.name == "val")


def _token(log: Log, stamp_ns: int) -> str:
    return f"{log.folder.resolve().name}_{stamp_ns}"
