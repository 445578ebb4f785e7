"""Detections in nuScenes' result format, scored by nuScenes' own code. The only file that knows the devkit."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from densegt.datasets.detection_classes import ATTRIBUTES, CLASSES, MAX_BOXES, RANGE_M, attributes_of
from densegt.datasets.nuscenes.reader import find_version
from densegt.errors import InputError
from densegt.geometry import se3

Float64 = NDArray[np.float64]
META = {"use_camera": True, "use_lidar": False, "use_radar": False, "use_map": False, "use_external": False}


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


def write_results(path: Path, found: Sequence[Detections]) -> None:
    """One JSON for all samples; it appears whole or not at all."""
    results = {sample.sample_token: result_rows(sample) for sample in found}
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(json.dumps({"meta": META, "results": results}))
    os.replace(partial, path)


def score_results(
    path: Path, dataroot: Path, version: str | None = None, *, range_m: Mapping[str, float] | None = None
) -> dict[str, Any]:
    """Scores of nuScenes' detection task over the samples in a result file, by the devkit's `DetectionEval`.

    Args:
        range_m: how far each class is looked for, where not as far as nuScenes does.

    Returns:
        `mean_ap`, `nd_score`, `tp_errors`, `label_aps` by class and distance, `label_tp_errors`, `mean_dist_aps`,
        and `boxes`, how many of each class there are to be found. A class without a box has AP 0 in `mean_ap`.

    Raises:
        InputError: the devkit is not installed, or the file or the folder is not what it can read.
    """
    try:
        from nuscenes import NuScenes
        from nuscenes.eval.common.config import config_factory
        from nuscenes.eval.common.data_classes import EvalBoxes
        from nuscenes.eval.common.loaders import (
            add_center_dist,
            filter_eval_boxes,
            load_gt_of_sample_tokens,
            load_prediction,
        )
        from nuscenes.eval.detection.data_classes import DetectionBox, DetectionConfig
        from nuscenes.eval.detection.evaluate import DetectionEval
    except ImportError as error:
        raise InputError(f'scoring detections: {error}; pip install "densegt[devkit]"') from None

    folder = find_version(dataroot, version)
    described = config_factory("detection_cvpr_2019").serialize()
    described["class_range"] = dict(range_m or RANGE_M)
    config = DetectionConfig.deserialize(described)

    class OverTheseSamples(DetectionEval):  # type: ignore[misc]
        """The devkit's evaluation, of the samples that the results are of instead of an official split."""

        def __init__(self, nusc: Any, pred: EvalBoxes, truth: EvalBoxes) -> None:
            self.nusc, self.cfg, self.verbose = nusc, config, False
            self.pred_boxes, self.gt_boxes = (self.near(boxes) for boxes in (pred, truth))
            self.sample_tokens = self.gt_boxes.sample_tokens

        def near(self, boxes: EvalBoxes) -> EvalBoxes:
            """Those within range; the devkit's filter does not take none."""
            far_and_near = add_center_dist(self.nusc, boxes)
            return filter_eval_boxes(self.nusc, far_and_near, config.class_range) if boxes.all else boxes

    try:
        nusc = NuScenes(folder.name, str(dataroot), verbose=False)
        pred, _ = load_prediction(str(path), config.max_boxes_per_sample, DetectionBox)
        # It draws a bar whether or not it is asked to be quiet.
        with redirect_stderr(io.StringIO()):
            truth = load_gt_of_sample_tokens(nusc, pred.sample_tokens, DetectionBox)
        evaluation = OverTheseSamples(nusc, pred, truth)
        metrics, _ = evaluation.evaluate()
    except (AssertionError, KeyError, OSError, ValueError) as error:
        raise InputError(f"{path}: the devkit cannot score it against {folder}: {error!r}") from None
    counts = dict.fromkeys(CLASSES, 0)
    for box in evaluation.gt_boxes.all:
        counts[box.detection_name] += 1
    return {**metrics.serialize(), "boxes": counts}
