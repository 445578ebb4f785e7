"""Detections as Argoverse 2's evaluation takes them: one feather table, boxes in the ego frame at the sweep's stamp."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from densegt.datasets.keyframes import Keyframe
from densegt.geometry import se3

# One category speaks for each detection class; the finer ones cannot be told apart.
CATEGORY_OF = {
    "car": "REGULAR_VEHICLE",
    "truck": "TRUCK",
    "bus": "BUS",
    "trailer": "VEHICULAR_TRAILER",
    "construction_vehicle": "LARGE_VEHICLE",
    "pedestrian": "PEDESTRIAN",
    "motorcycle": "MOTORCYCLE",
    "bicycle": "BICYCLE",
    "traffic_cone": "CONSTRUCTION_CONE",
}


def write_submission(
    path: Path, results: Mapping[str, Sequence[Mapping[str, Any]]], keyframes: Sequence[Keyframe]
) -> None:
    """One table for all logs; it appears whole or not at all.

    Args:
        results: nuScenes result rows by sample token, see `densegt.detection.scoring.nuscenes_results`.
        keyframes: those of the samples.
    """
    import pyarrow as pa
    from pyarrow import feather

    rows = [row for keyframe in keyframes for row in _rows(keyframe, results.get(keyframe.sample_token, ()))]
    partial = path.with_name(f".{path.name}.partial")
    feather.write_feather(pa.Table.from_pylist(rows, schema=_schema()), str(partial), compression="uncompressed")
    os.replace(partial, path)


def _rows(keyframe: Keyframe, found: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    log, _, stamp_ns = keyframe.sample_token.rpartition("_")
    T_ego_global = se3.inverse(keyframe.T_global_ego)
    rows = []
    for box in found:
        if box["detection_name"] not in CATEGORY_OF:
            continue
        T_ego_box = T_ego_global @ se3.from_quaternion(np.array(box["rotation"]), np.array(box["translation"]))
        width, length, height = box["size"]
        rows.append(
            {
                **dict(zip(("tx_m", "ty_m", "tz_m"), T_ego_box[:3, 3].tolist(), strict=True)),
                **dict(zip(("qw", "qx", "qy", "qz"), se3.to_quaternion(T_ego_box).tolist(), strict=True)),
                **{"length_m": length, "width_m": width, "height_m": height},
                **{"score": box["detection_score"], "category": CATEGORY_OF[box["detection_name"]]},
                **{"log_id": log, "timestamp_ns": int(stamp_ns)},
            }
        )
    return rows


def _schema() -> Any:
    import pyarrow as pa

    numbers = ("tx_m", "ty_m", "tz_m", "length_m", "width_m", "height_m", "qw", "qx", "qy", "qz", "score")
    names = [(name, pa.float32() if name == "score" else pa.float64()) for name in numbers]
    return pa.schema([*names, ("log_id", pa.string()), ("timestamp_ns", pa.int64()), ("category", pa.string())])
