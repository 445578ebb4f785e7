"""Detections, and nuScenes' result format for them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from densegt.datasets.detection_classes import ATTRIBUTES, CLASSES, MAX_BOXES, attributes_of
from densegt.depth.partial_file import write_whole
from densegt.geometry import se3

Float64 = NDArray[np.float64]


@dataclass(frozen=True)
class Detections:
    """What was found in one sample (N boxes).

    Attributes:
        boxes: (N,9) x, y, z, l, w, h in m, yaw in rad, vx, vy in m/s, in ref.
        classes, attributes: (N,) places in CLASSES and ATTRIBUTES.
        scores: (N,) 0 to 1.
        T_global_ref: (4,4).
    """

    sample_token: str
    boxes: Float64
    classes: NDArray[np.int64]
    attributes: NDArray[np.int64]
    scores: Float64
    T_global_ref: Float64


def result_rows(found: Detections) -> list[dict[str, Any]]:
    """nuScenes' rows of a sample, the best MAX_BOXES of them; attributes that a class cannot have are mended."""
    rows = []
    for i in np.argsort(-found.scores, kind="stable")[:MAX_BOXES].tolist():
        x, y, z, length, width, height, yaw, vx, vy = found.boxes[i].tolist()
        name = CLASSES[found.classes[i]]
        T_global_box = found.T_global_ref @ se3.from_yaw(yaw, [x, y, z])
        velocity = found.T_global_ref[:2, :2] @ [vx, vy]
        rows.append(
            {
                "sample_token": found.sample_token,
                "translation": T_global_box[:3, 3].tolist(),
                "size": [width, length, height],
                "rotation": se3.to_quaternion(T_global_box).tolist(),
                "velocity": velocity.tolist(),
                "detection_name": name,
                "detection_score": float(found.scores[i]),
                "attribute_name": _attribute(name, ATTRIBUTES[found.attributes[i]]),
            }
        )
    return rows


def _attribute(name: str, said: str) -> str:
    possible = attributes_of(name)
    if not possible:
        return ""
    return said if said in possible else possible[0]


def write_results(path: Path, found: Sequence[Detections], *, use_lidar: bool) -> None:
    """One JSON for all samples; it appears whole or not at all.

    Args:
        use_lidar: a lidar was an input, beside or instead of images.
    """
    meta = {
        "use_camera": True, "use_lidar": use_lidar, "use_radar": False, "use_map": False, "use_external": False
    }  # fmt: skip
    results = {sample.sample_token: result_rows(sample) for sample in found}
    write_whole(path, json.dumps({"meta": meta, "results": results}).encode())
