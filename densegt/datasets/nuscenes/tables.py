"""A nuScenes version folder, column by column, with tokens resolved to row numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from densegt.datasets.nuscenes import rows
from densegt.errors import InputError

Int32 = NDArray[np.int32]


@dataclass(frozen=True)
class Poses:
    """Columns of ego_pose or calibrated_sensor: rotation (N,4) w,x,y,z and translation (N,3) m, float64."""

    tokens: list[str]
    rotation_wxyz: NDArray[np.float64]
    translation_m: NDArray[np.float64]


@dataclass(frozen=True)
class SampleData:
    """Columns of sample_data; `sample`, `ego_pose`, `calibrated_sensor` are row numbers (N,)."""

    tokens: list[str]
    filenames: list[str]
    sample: Int32
    ego_pose: Int32
    calibrated_sensor: Int32
    timestamp_us: NDArray[np.int64]
    is_keyframe: NDArray[np.bool_]
    width_px: Int32
    height_px: Int32


@dataclass(frozen=True)
class Annotations:
    """Columns of sample_annotation; `sample`, `instance` are row numbers (N,); size is (N,3) length, width, height."""

    tokens: list[str]
    sample: Int32
    instance: Int32
    size_lwh_m: NDArray[np.float64]
    pose: Poses


class Tables:
    """Reads each table on first use."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, table: str) -> Path:
        """File of a table."""
        return self.folder / f"{table}.json"

    @cached_property
    def scenes(self) -> list[rows.SceneRow]:
        """scene.json in file order."""
        return rows.read_rows(self.path("scene"), rows.SceneRow)

    @cached_property
    def samples(self) -> list[rows.SampleRow]:
        """sample.json in file order."""
        return rows.read_rows(self.path("sample"), rows.SampleRow)

    @cached_property
    def sample_scene(self) -> Int32:
        """Row number of each sample's scene."""
        return self._resolve("sample", [r.scene_token for r in self.samples], "scene", [r.token for r in self.scenes])

    @cached_property
    def channels(self) -> list[str]:
        """Channel of each calibrated_sensor row."""
        names = {r.token: r.channel for r in rows.read_rows(self.path("sensor"), rows.SensorRow)}
        for row in self._calibrated_rows:
            if row.sensor_token not in names:
                raise InputError(f"{self.path('calibrated_sensor')}: no sensor has token {row.sensor_token!r}")
        return [names[r.sensor_token] for r in self._calibrated_rows]

    @cached_property
    def _calibrated_rows(self) -> list[rows.CalibratedSensorRow]:
        return rows.read_rows(self.path("calibrated_sensor"), rows.CalibratedSensorRow)

    @cached_property
    def intrinsics(self) -> list[list[list[float]]]:
        """K of each calibrated_sensor row, empty for a lidar."""
        return [r.camera_intrinsic for r in self._calibrated_rows]

    @cached_property
    def calibrated_sensors(self) -> Poses:
        """T_ego_sensor, column by column."""
        return self._poses("calibrated_sensor", self._calibrated_rows)

    @cached_property
    def ego_poses(self) -> Poses:
        """T_global_ego, column by column."""
        return self._poses("ego_pose", rows.read_rows(self.path("ego_pose"), rows.EgoPoseRow))

    @cached_property
    def sample_data(self) -> SampleData:
        """sample_data.json with its tokens resolved."""
        data = rows.read_rows(self.path("sample_data"), rows.SampleDataRow)
        of = self._resolve
        return SampleData(
            tokens=[r.token for r in data],
            filenames=[r.filename for r in data],
            sample=of("sample_data", [r.sample_token for r in data], "sample", [r.token for r in self.samples]),
            ego_pose=of("sample_data", [r.ego_pose_token for r in data], "ego_pose", self.ego_poses.tokens),
            calibrated_sensor=of(
                "sample_data",
                [r.calibrated_sensor_token for r in data],
                "calibrated_sensor",
                self.calibrated_sensors.tokens,
            ),
            timestamp_us=np.array([r.timestamp for r in data], dtype=np.int64),
            is_keyframe=np.array([r.is_key_frame for r in data], dtype=bool),
            width_px=np.array([r.width for r in data], dtype=np.int32),
            height_px=np.array([r.height for r in data], dtype=np.int32),
        )

    @cached_property
    def instances(self) -> list[rows.InstanceRow]:
        """instance.json in file order."""
        return rows.read_rows(self.path("instance"), rows.InstanceRow)

    @cached_property
    def categories(self) -> dict[str, str]:
        """Category name by token."""
        return {r.token: r.name for r in rows.read_rows(self.path("category"), rows.CategoryRow)}

    @cached_property
    def annotations(self) -> Annotations:
        """sample_annotation.json with its tokens resolved; (w,l,h) becomes (l,w,h) here and nowhere else."""
        data = rows.read_rows(self.path("sample_annotation"), rows.AnnotationRow)
        of = self._resolve
        size_wlh = self._matrix("sample_annotation", [r.token for r in data], [r.size for r in data], 3)
        return Annotations(
            tokens=[r.token for r in data],
            sample=of("sample_annotation", [r.sample_token for r in data], "sample", [r.token for r in self.samples]),
            instance=of(
                "sample_annotation", [r.instance_token for r in data], "instance", [r.token for r in self.instances]
            ),
            size_lwh_m=size_wlh[:, [1, 0, 2]],
            pose=self._poses("sample_annotation", data),
        )

    def _poses(
        self, table: str, data: Sequence[rows.EgoPoseRow | rows.CalibratedSensorRow | rows.AnnotationRow]
    ) -> Poses:
        tokens = [r.token for r in data]
        return Poses(
            tokens,
            self._matrix(table, tokens, [r.rotation for r in data], 4),
            self._matrix(table, tokens, [r.translation for r in data], 3),
        )

    def _matrix(self, table: str, tokens: list[str], values: list[list[float]], width: int) -> NDArray[np.float64]:
        for token, value in zip(tokens, values, strict=True):
            if len(value) != width:
                raise InputError(f"{self.path(table)}: row {token}: {value} should have {width} numbers")
        return np.array(values, dtype=np.float64).reshape(-1, width)

    def _resolve(self, table: str, wanted: list[str], target: str, tokens: list[str]) -> Int32:
        row_of = {token: row for row, token in enumerate(tokens)}
        try:
            return np.array([row_of[token] for token in wanted], dtype=np.int32)
        except KeyError as missing:
            raise InputError(f"{self.path(table)}: no {target} has token {missing.args[0]!r}") from None
