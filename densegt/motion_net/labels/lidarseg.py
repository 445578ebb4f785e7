"""Labels of nuScenes lidarseg: the class of each keyframe point; whether it moves, its box says."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from densegt.accumulation.config import AccumulateConfig
from densegt.datasets.scene import Scene
from densegt.depth.point_votes import NO_CLASS
from densegt.errors import InputError
from densegt.motion_net.classes import CLASSES, class_of_category
from densegt.motion_net.labels.boxes import box_labels
from densegt.motion_net.labels.point_labels import UNKNOWN, PointLabels
from densegt.motion_net.scans import SceneScans

# What can move by itself; a point of such a class outside all boxes may do either.
MOVABLE = ("bicycle", "bus", "car", "construction_vehicle", "motorcycle", "pedestrian", "trailer", "truck")
_FIX = "unpack nuScenes-lidarseg into the dataset's folder, or use --labels boxes"


def lidarseg_labels(root: Path, scene: Scene, scans: SceneScans, config: AccumulateConfig) -> PointLabels:
    """Of a nuScenes scene: classes of keyframes by lidarseg; other sweeps have none.

    Raises:
        InputError: there is no lidarseg, or of other points.
    """
    table = next(iter(sorted(root.glob("v1.0-*/lidarseg.json"))), None)
    if table is None:
        raise InputError(f"{root}: no v1.0-*/lidarseg.json; {_FIX}")
    files = {row["sample_data_token"]: root / row["filename"] for row in _rows(table)}
    of_index = np.full(256, NO_CLASS, dtype=np.uint8)
    for row in _rows(table.with_name("category.json")):
        if isinstance(row.get("index"), int) and 0 <= row["index"] < len(of_index):
            of_index[row["index"]] = class_of_category(row["name"])
    boxes = box_labels(root, scene, scans, config) if scene.tracks else PointLabels.nothing(len(scans.xyz), moving=0)
    kind, moving = boxes.kind.copy(), boxes.moving.copy()
    movable = np.isin(np.arange(256), [CLASSES.index(name) for name in MOVABLE])
    keyframes = [k for k, sweep in enumerate(scans.sweeps) if sweep.token in files]
    if not keyframes:
        raise InputError(f"{table}: no keyframe of scene {scene.name} in it; {_FIX}")
    for k in keyframes:
        path = files[scans.sweeps[k].token]
        code = np.fromfile(path, dtype=np.uint8) if path.is_file() else np.zeros(0, dtype=np.uint8)
        if len(code) != scans.count[k]:
            raise InputError(f"{path}: {len(code)} classes, the sweep has {scans.count[k]} points; {_FIX}")
        here = slice(int(scans.first[k]), int(scans.first[k + 1]))
        kind[here] = of_index[code[scans.row[here]]]
        moving[here][movable[kind[here]] & (boxes.thing[here] == 0)] = UNKNOWN
        moving[here][~movable[kind[here]] & (kind[here] != NO_CLASS)] = 0
    return replace(boxes, kind=kind, moving=moving)


def _rows(path: Path) -> list[dict[str, Any]]:
    try:
        rows: list[dict[str, Any]] = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read ({error})") from None
    return rows
