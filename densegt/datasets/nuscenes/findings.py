"""Finding: one thing that is wrong with a dataset, and the tables to look for it in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from densegt.datasets.nuscenes import rows
from densegt.datasets.nuscenes.columns import is_camera, is_lidar
from densegt.datasets.nuscenes.version_folder import ROOT
from densegt.errors import InputError


@dataclass(frozen=True, order=True)
class Finding:
    """What is wrong (`kind`, one word), in which file (relative to the dataset), and in what way."""

    kind: str
    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.where}: {self.what}"


class _SceneRow(rows.SceneRow):
    log_token: str = ""


class _InstanceRow(rows.InstanceRow):
    first_annotation_token: str = ""
    last_annotation_token: str = ""


class _AnnotationRow(rows.AnnotationRow):
    visibility_token: rows.Link = ""
    attribute_tokens: list[str] | None = msgspec.field(default_factory=list)


class _MapRow(msgspec.Struct):
    token: str
    filename: str = ""
    log_tokens: list[str] = msgspec.field(default_factory=list)


class _TokenRow(msgspec.Struct):
    token: str


# The thirteen tables. Fields that densegt itself does not need are looked at where they are there.
ROW_TYPES: dict[str, type[msgspec.Struct]] = {
    "attribute": _TokenRow,
    "calibrated_sensor": rows.CalibratedSensorRow,
    "category": rows.CategoryRow,
    "ego_pose": rows.EgoPoseRow,
    "instance": _InstanceRow,
    "log": _TokenRow,
    "map": _MapRow,
    "sample": rows.SampleRow,
    "sample_annotation": _AnnotationRow,
    "sample_data": rows.SampleDataRow,
    "scene": _SceneRow,
    "sensor": rows.SensorRow,
    "visibility": _TokenRow,
}


# Nothing reads it, and MAN TruckScenes has none.
MAY_BE_ABSENT = ("map",)


@dataclass(frozen=True)
class RowsByTable:
    """The rows of every table that could be read; the others are not in `rows`."""

    folder: Path
    version: str
    rows: dict[str, Sequence[Any]]

    def __contains__(self, table: str) -> bool:
        return table in self.rows

    def __getitem__(self, table: str) -> Sequence[Any]:
        """Rows of a table, none where it could not be read: what cannot be read is found once, not once a row."""
        return self.rows.get(table, [])

    def by_token(self, table: str) -> dict[str, Any]:
        """Rows by token; of two with one token, the last."""
        return {row.token: row for row in self[table]}

    def kinds(self) -> dict[str, str]:
        """What each calibrated sensor is: lidar, camera, or "" where it is neither or its sensor is not known."""
        sensors = self.by_token("sensor")
        found = {}
        for row in self["calibrated_sensor"]:
            sensor = sensors.get(row.sensor_token)
            if sensor is not None and is_lidar(sensor.channel, sensor.modality):
                found[row.token] = "lidar"
            elif sensor is not None and is_camera(sensor.modality, row.camera_intrinsic or []):
                found[row.token] = "camera"
            else:
                found[row.token] = ""
        return found

    def where(self, table: str) -> str:
        """A table's file, relative to the dataset."""
        return f"{table}.json" if self.version == ROOT else f"{self.version}/{table}.json"


def read_tables(dataroot: Path, folder: Path) -> tuple[RowsByTable, list[Finding]]:
    """Read what can be read of the thirteen tables; each other is a finding, unless it may be absent."""
    tables = RowsByTable(folder, folder.relative_to(dataroot).as_posix(), {})
    findings = []
    for table, row_type in ROW_TYPES.items():
        path = folder / f"{table}.json"
        if table in MAY_BE_ABSENT and not path.exists():
            continue
        try:
            tables.rows[table] = rows.read_rows(path, row_type)
        except InputError as error:
            kind = "unreadable" if path.exists() else "missing"
            findings.append(Finding(kind, tables.where(table), str(error).removeprefix(f"{path}: ")))
    return tables, findings
