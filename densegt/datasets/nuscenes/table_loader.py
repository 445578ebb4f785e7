"""From the JSON tables to the columns of a whole dataset.

The large tables (sample_data, ego_pose, sample_annotation) are read in pieces. Of what densegt
never uses of them (radar, images between keyframes, the poses of both) the types are checked; then it is left.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from operator import attrgetter
from pathlib import Path
from typing import Any

import numpy as np

from densegt.datasets.file_names import can_name_file
from densegt.datasets.nuscenes import rows
from densegt.datasets.nuscenes.chunked_json import read_in_chunks
from densegt.datasets.nuscenes.columns import (
    Boxes,
    Calibrations,
    Int32,
    Poses,
    Samples,
    SceneRows,
    SensorData,
    is_camera,
    is_lidar,
    pick,
)
from densegt.errors import InputError

TABLES = (
    "scene",
    "sample",
    "sensor",
    "calibrated_sensor",
    "sample_data",
    "ego_pose",
    "category",
    "instance",
    "sample_annotation",
)

# A recording does without them: then it has no boxes.
LABEL_TABLES = ("category", "instance", "sample_annotation")

# Their numbers are as many as they should be.
_QUICK = (rows.QuickEgoPoseRow, rows.QuickAnnotationRow)
# Faster than a loop, where there are millions.
_TOKEN, _SIZE = attrgetter("token"), attrgetter("size")
_ROTATION, _TRANSLATION = attrgetter("rotation"), attrgetter("translation")


@dataclass(frozen=True)
class AllScenes:
    """All scenes' rows together; `scene_of_sample` are row numbers of scene.json."""

    scene_names: list[str]
    scene_of_sample: Int32
    rows: SceneRows


def load_tables(folder: Path) -> AllScenes:
    """Read all tables of a version folder.

    Raises:
        InputError: a table is missing or damaged, a token leads nowhere, or a name cannot be one in a depth store; the
            message names the file.
    """
    return _Reader(folder).whole()


def absent_label_tables(folder: Path) -> list[str]:
    """Those of the tables of labels that are not there; without one of them the others are of no use."""
    return [table for table in LABEL_TABLES if not (folder / f"{table}.json").exists()]


class _Reader:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, table: str) -> Path:
        return self.folder / f"{table}.json"

    def whole(self) -> AllScenes:
        scene = rows.read_rows(self.path("scene"), rows.SceneRow)
        sample = rows.read_rows(self.path("sample"), rows.SampleRow)
        self.check_names("sample", "token", [(r.token, r.token) for r in sample])
        samples = Samples([r.token for r in sample], np.array([r.timestamp for r in sample], dtype=np.int64))
        row_of_sample = _row_of(samples.tokens)
        row_of_scene = _row_of([r.token for r in scene])
        scene_of_sample = self.find([r.scene_token for r in sample], "sample", "scene", row_of_scene)
        calibrations = self.calibrations()
        data = self.sensor_data(row_of_sample, calibrations)
        labelled = not absent_label_tables(self.folder)
        instance = rows.read_rows(self.path("instance"), rows.InstanceRow) if labelled else []
        category = rows.read_rows(self.path("category"), rows.CategoryRow) if labelled else []
        name_of = {r.token: r.name for r in category}
        instances = [r.token for r in instance]
        return AllScenes(
            scene_names=[r.name for r in scene],
            scene_of_sample=np.array(scene_of_sample, dtype=np.int32),
            rows=SceneRows(
                samples=samples,
                calibrations=calibrations,
                data=data,
                instances=instances,
                categories=[name_of.get(r.category_token, "unknown") for r in instance],
                boxes=self.boxes(row_of_sample, _row_of(instances), labelled=labelled),
            ),
        )

    def calibrations(self) -> Calibrations:
        sensor_of = {r.token: r for r in rows.read_rows(self.path("sensor"), rows.SensorRow)}
        self.check_names("sensor", "channel", [(r.token, r.channel) for r in sensor_of.values()])
        calibrated = rows.read_rows(self.path("calibrated_sensor"), rows.CalibratedSensorRow)
        for row in calibrated:
            if row.sensor_token not in sensor_of:
                raise self.dangling("calibrated_sensor", "sensor", row.sensor_token)
            if any(row.camera_distortion or ()):
                where = f"{self.path('calibrated_sensor')}: row {row.token}"
                raise InputError(f"{where}: camera_distortion is not read; undistort the images and leave it out")
        poses = _GrowingPoses(self, "calibrated_sensor")
        poses.add(calibrated)
        return Calibrations(
            channels=[sensor_of[r.sensor_token].channel for r in calibrated],
            modalities=[sensor_of[r.sensor_token].modality for r in calibrated],
            intrinsics=[r.camera_intrinsic or [] for r in calibrated],
            pose=poses.columns(),
        )

    def sensor_data(self, row_of_sample: dict[str, int], calibrations: Calibrations) -> SensorData:
        """What densegt reads of sample_data: the lidar's sweeps and the keyframes' images."""
        table, row_of_calibration = "sample_data", _row_of(calibrations.pose.tokens)
        # 2: every row is read; 1: keyframes are; 0: none is.
        c = calibrations
        read_of = {
            token: 2 if is_lidar(channel, modality) else int(is_camera(modality, K))
            for token, channel, modality, K in zip(c.pose.tokens, c.channels, c.modalities, c.intrinsics, strict=True)
        }
        growing = _GrowingData()
        for piece in read_in_chunks(self.path(table), rows.SampleDataRow, rows.QuickSampleDataRow):
            try:
                read = [row for row in piece if read_of[row.calibrated_sensor_token] + row.is_key_frame > 1]
            except KeyError as missing:
                raise self.dangling(table, "calibrated_sensor", missing.args[0]) from None
            growing.add(
                read,
                self.find([r.sample_token for r in read], table, "sample", row_of_sample),
                [row_of_calibration[r.calibrated_sensor_token] for r in read],
            )
        return growing.columns(self.ego_poses(growing.ego_pose_tokens))

    def ego_poses(self, wanted: list[str]) -> Poses:
        """Poses of the wanted tokens, in their order."""
        used, poses = set(wanted), _GrowingPoses(self, "ego_pose")
        for piece in read_in_chunks(self.path("ego_pose"), rows.EgoPoseRow, rows.QuickEgoPoseRow):
            poses.add([row for row in piece if row.token in used])
        row = self.find(wanted, "sample_data", "ego_pose", _row_of(poses.tokens))
        return pick(poses.columns(), np.array(row, dtype=np.intp))

    def boxes(self, row_of_sample: dict[str, int], row_of_instance: dict[str, int], *, labelled: bool) -> Boxes:
        """sample_annotation with its tokens resolved; (w,l,h) becomes (l,w,h) here and nowhere else."""
        table = "sample_annotation"
        sample, instance, size_wlh, poses = array("i"), array("i"), bytearray(), _GrowingPoses(self, table)
        pieces = read_in_chunks(self.path(table), rows.AnnotationRow, rows.QuickAnnotationRow) if labelled else ()
        for piece in pieces:
            sample.extend(self.find([r.sample_token for r in piece], table, "sample", row_of_sample))
            instance.extend(self.find([r.instance_token for r in piece], table, "instance", row_of_instance))
            self.check_width(table, piece, "size", 3)
            size_wlh += _doubles(map(_SIZE, piece))
            poses.add(piece)
        return Boxes(
            sample=np.frombuffer(sample, dtype=np.int32),
            instance=np.frombuffer(instance, dtype=np.int32),
            size_lwh_m=np.frombuffer(size_wlh).reshape(-1, 3)[:, [1, 0, 2]],
            pose=poses.columns(),
        )

    def check_width(self, table: str, data: Sequence[Any], name: str, width: int) -> None:
        """Whether a field of all rows has so many numbers; quick rows have."""
        for row in () if isinstance(next(iter(data), None), _QUICK) else data:
            value = getattr(row, name)
            if len(value) != width:
                raise InputError(f"{self.path(table)}: row {row.token}: {value} should have {width} numbers")

    def check_names(self, table: str, field: str, named: Iterable[tuple[str, str]]) -> None:
        """Whether a field, given with its row's token, can name a group of a depth store."""
        for token, name in named:
            if not can_name_file(name):
                raise InputError(f"{self.path(table)}: row {token!r}: {field} {name!r} cannot name an image's depth")

    def find(self, tokens: Iterable[str], table: str, target: str, row_of: dict[str, int]) -> list[int]:
        """Row numbers in `target` of tokens that `table` names."""
        try:
            return [row_of[token] for token in tokens]
        except KeyError as missing:
            raise self.dangling(table, target, missing.args[0]) from None

    def dangling(self, table: str, target: str, token: str) -> InputError:
        return InputError(f"{self.path(table)}: no {target} has token {token!r}")


class _GrowingPoses:
    """Columns of a table with poses as they grow."""

    def __init__(self, reader: _Reader, table: str) -> None:
        self.reader, self.table = reader, table
        self.tokens: list[str] = []
        self.rotation, self.translation = bytearray(), bytearray()

    def add(self, data: Sequence[Any]) -> None:
        if data:
            self.reader.check_width(self.table, data, "rotation", 4)
            self.reader.check_width(self.table, data, "translation", 3)
            self.tokens.extend(map(_TOKEN, data))
            self.rotation += _doubles(map(_ROTATION, data))
            self.translation += _doubles(map(_TRANSLATION, data))

    def columns(self) -> Poses:
        return Poses(
            self.tokens, np.frombuffer(self.rotation).reshape(-1, 4), np.frombuffer(self.translation).reshape(-1, 3)
        )


class _GrowingData:
    """Columns of sample_data as they grow."""

    def __init__(self) -> None:
        self.tokens: list[str] = []
        self.filenames: list[str] = []
        self.ego_pose_tokens: list[str] = []
        self.sample, self.calibration = array("i"), array("i")
        self.timestamp_us, self.is_keyframe = array("q"), array("b")
        self.width_px, self.height_px = array("i"), array("i")

    def add(
        self,
        data: Sequence[rows.SampleDataRow | rows.QuickSampleDataRow],
        sample: Iterable[int],
        calibration: Iterable[int],
    ) -> None:
        """Add rows with their numbers in sample and calibrated_sensor."""
        self.tokens.extend([r.token for r in data])
        self.filenames.extend([r.filename for r in data])
        self.ego_pose_tokens.extend([r.ego_pose_token for r in data])
        self.sample.extend(sample)
        self.calibration.extend(calibration)
        self.timestamp_us.extend([r.timestamp for r in data])
        self.is_keyframe.extend([r.is_key_frame for r in data])
        self.width_px.extend([r.width or 0 for r in data])
        self.height_px.extend([r.height or 0 for r in data])

    def columns(self, ego_pose: Poses) -> SensorData:
        return SensorData(
            tokens=self.tokens,
            filenames=self.filenames,
            sample=np.frombuffer(self.sample, dtype=np.int32),
            calibration=np.frombuffer(self.calibration, dtype=np.int32),
            timestamp_us=np.frombuffer(self.timestamp_us, dtype=np.int64),
            is_keyframe=np.frombuffer(self.is_keyframe, dtype=np.bool_),
            width_px=np.frombuffer(self.width_px, dtype=np.int32),
            height_px=np.frombuffer(self.height_px, dtype=np.int32),
            ego_pose=ego_pose,
        )


def _doubles(rows_of_numbers: Iterable[Sequence[float]]) -> bytes:
    """One row behind the other; an array that grows takes twice as long."""
    numbers = tuple(chain.from_iterable(rows_of_numbers))
    return struct.pack(f"{len(numbers)}d", *numbers)


def _row_of(tokens: list[str]) -> dict[str, int]:
    """Row numbers by token; of two rows with one token, the last."""
    return {token: row for row, token in enumerate(tokens)}
