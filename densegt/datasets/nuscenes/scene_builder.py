"""From a scene's rows to `Scene`. What is bad is set aside; quirks of the schema (w,x,y,z; microseconds) end here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from densegt.datasets import float_rows
from densegt.datasets.file_names import is_outside
from densegt.datasets.nuscenes import image_file, sweep_file
from densegt.datasets.nuscenes.columns import Poses, SceneRows
from densegt.datasets.nuscenes.object_kinds import object_kind
from densegt.datasets.nuscenes.tables import Tables
from densegt.datasets.recording import unknown_camera
from densegt.datasets.scene import Camera, Lidar, Sweep, Track
from densegt.datasets.set_aside import SetAside
from densegt.errors import InputError
from densegt.geometry import se3

Float64 = NDArray[np.float64]
Rows = NDArray[np.intp]
Built = TypeVar("Built", Sweep, Camera)


class _BadError(Exception):
    """What is wrong, and in which file or table."""

    def __init__(self, where: Path, why: str) -> None:
        super().__init__(f"{where}: {why}")
        self.where, self.why = where, why


class SceneBuilder:
    """Builds the parts of a scene, and keeps what it had to leave out.

    Args:
        strict: refuse instead.

    Attributes:
        set_aside: what was left out so far.
    """

    def __init__(self, dataroot: Path, tables: Tables, rows: SceneRows, *, strict: bool) -> None:
        self._dataroot, self._tables, self._rows, self._strict = dataroot, tables, rows, strict
        self.set_aside: list[SetAside] = []

    def sweeps(self, *, keyframes_only: bool) -> tuple[Sweep, ...]:
        """Lidar sweeps in order of time.

        Raises:
            InputError: there is not one that can be read; strict: one cannot be.
        """
        rows = self._rows
        chosen = np.flatnonzero(rows.is_lidar & rows.data.is_keyframe if keyframes_only else rows.is_lidar)
        lidars: dict[int, Lidar] = {}

        def same(i: int) -> tuple[str, int]:
            return rows.calibrations.channels[rows.data.calibration[i]], int(rows.data.timestamp_us[i])

        return self._each("sweep", chosen, same, lambda i: self._sweep(i, lidars))

    def cameras(self, wanted: Sequence[str]) -> tuple[Camera, ...]:
        """Keyframe images of the wanted channels, all where empty, in order of time.

        Raises:
            InputError: no such channel, or none of its images can be used; strict: one cannot be.
        """
        rows = self._rows
        channel_of = [rows.calibrations.channels[c] for c in rows.data.calibration]
        images = np.flatnonzero(rows.is_image)
        channels = {channel_of[i] for i in images}
        for channel in wanted:
            if channel not in channels:
                raise unknown_camera(self._tables.folder, channel, sorted(channels))
        kept = np.array([i for i in images if not wanted or channel_of[i] in wanted], dtype=np.intp)

        def same(i: int) -> tuple[str, int]:
            return channel_of[i], int(rows.data.sample[i])

        return self._each("image", kept, same, lambda i: self._camera(i, channel_of[i]))

    def tracks(self) -> tuple[Track, ...]:
        """Annotated objects; none where there is no table of labels.

        Raises:
            InputError: strict: a table is missing, or a box is none.
        """
        for table in self._tables.absent_label_tables:
            self._leave_out("label table", _BadError(self._tables.path(table), "No such file; there are no boxes"))
        rows, boxes = self._rows, self._rows.boxes
        sound = np.array([self._is_box(i) for i in range(len(boxes.instance))], dtype=np.bool_)
        stamps_us = rows.samples.timestamp_us[boxes.sample]
        tracks = []
        for instance, (token, category) in enumerate(zip(rows.instances, rows.categories, strict=True)):
            mine = np.flatnonzero((boxes.instance == instance) & sound)
            if not len(mine):
                continue
            # Two boxes of one instance at one time contradict each other; the first in time order is kept.
            timestamps_us, first = np.unique(stamps_us[mine], return_index=True)
            tracks.append(
                Track(
                    token=token,
                    category=category,
                    kind=object_kind(category),
                    size_lwh_m=np.median(boxes.size_lwh_m[mine], axis=0),
                    timestamps_us=timestamps_us,
                    T_global_box=np.stack([self._pose("sample_annotation", boxes.pose, i) for i in mine[first]]),
                )
            )
        return tuple(tracks)

    def _each(
        self, what: str, chosen: Rows, same: Callable[[int], tuple[str, int]], build: Callable[[int], Built]
    ) -> tuple[Built, ...]:
        """What can be built of the chosen rows of sample_data, of those that are the same the first, or a keyframe."""
        data, built = self._rows.data, dict[int, Built]()
        taken: dict[tuple[str, int], int] = {}
        reasons = []
        for i in sorted(chosen.tolist(), key=lambda i: (data.timestamp_us[i], not data.is_keyframe[i])):
            try:
                if (before := taken.get(same(i))) is not None:
                    again = f"row {data.tokens[i]}: the same {what} of {same(i)[0]} as in row {data.tokens[before]}"
                    raise _BadError(self._tables.path("sample_data"), again)
                built[i] = build(i)
                taken[same(i)] = i
            except (_BadError, OSError) as error:
                path = self._dataroot / data.filenames[i]
                bad = error if isinstance(error, _BadError) else _BadError(path, error.strerror or str(error))
                reasons.append(bad)
                self._leave_out(what, bad)
        if reasons and not built:
            raise InputError(f"{self._tables.folder}: not one of {len(chosen)} {what}s can be used; {reasons[0]}")
        return tuple(built[i] for i in chosen.tolist() if i in built)

    def _leave_out(self, what: str, bad: _BadError) -> None:
        if self._strict:
            raise InputError(str(bad)) from None
        self.set_aside.append(SetAside(what, str(bad.where), bad.why))

    def _sweep(self, i: int, lidars: dict[int, Lidar]) -> Sweep:
        data, calibrations = self._rows.data, self._rows.calibrations
        path, calibration = self._file(data.filenames[i]), int(data.calibration[i])
        size = path.stat().st_size
        if not size:
            raise _BadError(path, "empty")
        try:
            float_rows.check_extent(path, size, sweep_file.COLUMNS)
        except InputError as error:
            raise _BadError(path, str(error).removeprefix(f"{path}: ")) from None
        if sweep_file.left_over(path, size):
            raise _BadError(path, sweep_file.left_over_line(size))
        if calibration not in lidars:
            pose = self._pose("calibrated_sensor", calibrations.pose, calibration)
            lidars[calibration] = Lidar(calibrations.channels[calibration], pose)
        return Sweep(
            token=data.tokens[i],
            sample_token=self._rows.samples.tokens[data.sample[i]],
            is_keyframe=bool(data.is_keyframe[i]),
            path=path,
            timestamp_us=int(data.timestamp_us[i]),
            lidar=lidars[calibration],
            T_global_ego=self._pose("ego_pose", data.ego_pose, i),
        )

    def _camera(self, i: int, channel: str) -> Camera:
        data, calibrations = self._rows.data, self._rows.calibrations
        calibration = int(data.calibration[i])
        path, size = self._file(data.filenames[i]), (int(data.width_px[i]), int(data.height_px[i]))
        bad = image_file.problem(path, *size)
        if bad is not None:
            raise _BadError(path, bad[1])
        width_px, height_px = size if all(size) else image_file.stored_size(path)
        K = self._intrinsic(calibrations.pose.tokens[calibration], calibrations.intrinsics[calibration])
        try:
            return Camera(
                token=data.tokens[i],
                sample_token=self._rows.samples.tokens[data.sample[i]],
                channel=channel,
                image_path=path,
                filename=data.filenames[i],
                width_px=width_px,
                height_px=height_px,
                timestamp_us=int(data.timestamp_us[i]),
                K=K,
                T_ego_cam=self._pose("calibrated_sensor", calibrations.pose, calibration),
                T_global_ego=self._pose("ego_pose", data.ego_pose, i),
            )
        except ValueError as error:
            raise _BadError(path, f"camera {channel}: {str(error).removeprefix(f'{path}: ')}") from None

    def _is_box(self, i: int) -> bool:
        boxes, path = self._rows.boxes, self._tables.path("sample_annotation")
        size_lwh_m = boxes.size_lwh_m[i]
        try:
            if not (np.isfinite(size_lwh_m) & (size_lwh_m > 0)).all():
                size = size_lwh_m[[1, 0, 2]].tolist()
                raise _BadError(path, f"row {boxes.pose.tokens[i]}: size {size} is not a box's")
            self._pose("sample_annotation", boxes.pose, i)
        except _BadError as bad:
            self._leave_out("box", bad)
            return False
        return True

    def _intrinsic(self, token: str, values: list[list[float]]) -> Float64:
        if len(values) != 3 or any(len(line) != 3 for line in values):
            what = f"row {token}: camera_intrinsic {values} should be 3x3"
            raise _BadError(self._tables.path("calibrated_sensor"), what)
        return np.array(values, dtype=np.float64)

    def _pose(self, table: str, poses: Poses, row: int) -> Float64:
        try:
            return se3.from_quaternion(poses.rotation_wxyz[row], poses.translation_m[row])
        except ValueError as error:
            raise _BadError(self._tables.path(table), f"row {poses.tokens[row]}: {error}") from None

    def _file(self, filename: str) -> Path:
        """The file of that name; one that leads out of the dataset is refused, strict or not."""
        if is_outside(filename):
            raise InputError(f"{self._tables.path('sample_data')}: {filename!r} points outside the dataset")
        path = self._dataroot / filename
        if not path.is_file():
            raise _BadError(path, "named in sample_data.json but not there")
        return path
