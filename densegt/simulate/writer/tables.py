"""nuScenes tables: rows, and the links between them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from densegt.geometry.se3 import to_quaternion

Row = dict[str, Any]
Tables = dict[str, list[Row]]

NAMES = (
    "attribute", "calibrated_sensor", "category", "ego_pose", "instance", "log", "map", "sample",
    "sample_annotation", "sample_data", "scene", "sensor", "visibility",
)  # fmt: skip
ATTRIBUTES = (
    "vehicle.moving", "vehicle.stopped", "vehicle.parked", "cycle.with_rider", "cycle.without_rider",
    "pedestrian.moving", "pedestrian.standing", "pedestrian.sitting_lying_down",
)  # fmt: skip
VISIBILITY = (("1", "v0-40"), ("2", "v40-60"), ("3", "v60-80"), ("4", "v80-100"))


def token(*names: object) -> str:
    """32 hexadecimal digits that depend only on the names."""
    return hashlib.md5("/".join(map(str, names)).encode(), usedforsecurity=False).hexdigest()


def pose_fields(T_dst_src: NDArray[np.float64]) -> Row:
    """`translation` and `rotation` (w,x,y,z) of a pose."""
    return {"translation": T_dst_src[:3, 3].tolist(), "rotation": to_quaternion(T_dst_src).tolist()}


def empty_tables() -> Tables:
    """All thirteen tables without a row."""
    return {name: [] for name in NAMES}


def common_tables(categories: Sequence[str], channels: Sequence[str]) -> Tables:
    """The rows that all scenes share."""
    tables = empty_tables()
    tables["category"] = [{"token": token("category", n), "name": n, "description": ""} for n in categories]
    tables["attribute"] = [{"token": token("attribute", n), "name": n, "description": ""} for n in ATTRIBUTES]
    tables["visibility"] = [{"token": t, "level": level, "description": ""} for t, level in VISIBILITY]
    tables["sensor"] = [
        {"token": token("sensor", c), "channel": c, "modality": "lidar" if c.startswith("LIDAR") else "camera"}
        for c in channels
    ]
    return tables


def merge(tables: Iterable[Tables]) -> Tables:
    """All rows together, in order."""
    out = empty_tables()
    for one in tables:
        for name, rows in one.items():
            out[name] += rows
    return out


def chain(rows: list[Row]) -> list[Row]:
    """Set prev and next of rows that follow one another."""
    for before, after in zip([None, *rows], [*rows, None], strict=True):
        if before is not None:
            before["next"] = after["token"] if after else ""
        if after is not None:
            after["prev"] = before["token"] if before else ""
    return rows


def write_tables(tables: Tables, folder: Path) -> None:
    """One JSON file a table."""
    folder.mkdir(parents=True)
    for name in NAMES:
        (folder / f"{name}.json").write_text(json.dumps(tables[name], indent=0) + "\n")
