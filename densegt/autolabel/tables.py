"""Labels as nuScenes' annotation tables: the recording once more, with these boxes in place of its own."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from densegt.autolabel.labels import Label
from densegt.autolabel.publish import SceneLabels, attribute_of, box_fields
from densegt.depth.partial_file import write_whole

Row = dict[str, Any]

ATTRIBUTES = (
    "vehicle.moving", "vehicle.stopped", "vehicle.parked", "cycle.with_rider", "cycle.without_rider",
    "pedestrian.moving", "pedestrian.standing", "pedestrian.sitting_lying_down",
)  # fmt: skip
VISIBILITY = (("1", "v0-40"), ("2", "v40-60"), ("3", "v60-80"), ("4", "v80-100"))
OWN = ("attribute", "category", "instance", "sample_annotation", "visibility")


def write_recording(folder: Path, root: Path, tables: Path, scenes: Sequence[SceneLabels]) -> None:
    """A recording in nuScenes format whose annotations are these labels; sensor files and other tables are links.

    Args:
        root: folder of the recording that was labelled; tables: its folder of tables, in it.
    """
    inside = folder / tables.relative_to(root)
    inside.mkdir(parents=True, exist_ok=True)
    for path in sorted(root.iterdir()):
        if path.is_dir() and path != tables and not (path / "scene.json").is_file():
            _link(folder / path.name, path)
    for path in sorted(tables.glob("*.json")):
        if path.stem not in (*OWN, "lidarseg", "panoptic"):
            _link(inside / path.name, path)
    for name, rows in annotation_tables(scenes).items():
        write_whole(inside / f"{name}.json", json.dumps(rows, indent=0).encode() + b"\n")


def annotation_tables(scenes: Sequence[SceneLabels]) -> dict[str, list[Row]]:
    """The tables of `OWN`; nobody has judged visibility, so it is not said."""
    categories = sorted({label.category for scene in scenes for label in scene.labels})
    instances: list[Row] = []
    annotations: list[Row] = []
    for scene in scenes:
        for label in scene.labels:
            owner = token(scene.scene, label.token)
            rows = [_annotation(label, k, owner) for k in range(len(label.sample_tokens))]
            for before, after in pairwise(rows):
                before["next"], after["prev"] = after["token"], before["token"]
            annotations += rows
            instances.append(
                {
                    "token": owner,
                    "category_token": token("category", label.category),
                    "nbr_annotations": len(rows),
                    "first_annotation_token": rows[0]["token"],
                    "last_annotation_token": rows[-1]["token"],
                }
            )
    return {
        "attribute": [{"token": token("attribute", name), "name": name, "description": ""} for name in ATTRIBUTES],
        "category": [{"token": token("category", name), "name": name, "description": ""} for name in categories],
        "instance": instances,
        "sample_annotation": annotations,
        "visibility": [{"token": t, "level": level, "description": ""} for t, level in VISIBILITY],
    }


def _annotation(label: Label, k: int, owner: str) -> Row:
    return {
        "token": token(owner, label.sample_tokens[k]),
        "sample_token": label.sample_tokens[k],
        "instance_token": owner,
        "visibility_token": "",
        "attribute_tokens": [token("attribute", attribute_of(label, k))],
        **box_fields(label, k),
        "num_lidar_pts": int(label.points[k]),
        "num_radar_pts": 0,
        "prev": "",
        "next": "",
    }


def token(*names: object) -> str:
    """32 hexadecimal digits that depend only on the names."""
    return hashlib.md5("/".join(map(str, names)).encode(), usedforsecurity=False).hexdigest()


def _link(link: Path, target: Path) -> None:
    if link.is_symlink() or link.exists():
        link.unlink()
    link.symlink_to(os.path.relpath(target.resolve(), link.parent.resolve()))
