"""Scores of a Lift-Splat detector: vehicles' IoU, depth, nuScenes' detection scores, each beside a fixed answer's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from densegt.datasets.detection_classes import CLASSES
from densegt.datasets.keyframes import Keyframe
from densegt.detection.bev.grid import BevGrid
from densegt.detection.bev.prediction import LssPrediction
from densegt.detection.bev.train_config import LssConfig
from densegt.detection.data.labels import Labels
from densegt.detection.prediction import KeyframeDataset
from densegt.detection.scoring.depth_error import DepthError
from densegt.detection.scoring.nuscenes_metrics import ap_at, ranges_within, score_detections
from densegt.detection.scoring.nuscenes_results import Detections
from densegt.detection.scoring.vehicle_iou import VehicleIou

Float64 = NDArray[np.float64]
# The task of vehicles only, scored at one distance: what small worlds can tell.
MOTOR_VEHICLES = ("car", "truck", "bus")
NEAR_M = 2.0


class LssScores:
    """Sums over keyframes of one recording; `compute` also asks the devkit."""

    def __init__(self, config: LssConfig) -> None:
        model = config.model
        self._grid = model.grid.made()
        self._iou = VehicleIou(self._grid.shape)
        self._depth = DepthError(model.bins.min_m, model.bins.max_m)
        self._found: list[Detections] = []

    def update(self, prediction: LssPrediction, labels: Labels) -> None:
        """Add a keyframe."""
        self._iou.update(prediction.vehicles > 0.5, prediction.truth)
        for depth_m, truth_m in zip(prediction.depth_m, prediction.truth_m, strict=True):
            self._depth.update(depth_m, truth_m)
        self._found.append(prediction.found)

    def compute(self, dataset: KeyframeDataset) -> dict[str, Any]:
        """`vehicles`, `depth`, `detection` and `detection of the best fixed boxes`.

        Classes are looked for as far as nuScenes does, or as the grid reaches in x and y where that is nearer.
        """
        range_m = ranges_within(self._grid)
        fixed = fixed_boxes([dataset.labels(i) for i in range(len(dataset))], self._grid)
        constant = [_with(*fixed, found) for found in self._found]
        return {
            "keyframes": len(self._found),
            "range_m": range_m,
            "vehicles": self._iou.compute(),
            "depth": self._depth.compute(),
            "detection": _scored(self._found, dataset.keyframes, range_m),
            "detection of the best fixed boxes": _scored(constant, dataset.keyframes, range_m),
        }


def fixed_boxes(labels: Sequence[Labels], grid: BevGrid, *, most: int = 100) -> tuple[Labels, Float64]:
    """What to say if one must always say the same, and how sure to be of it.

    Boxes stand where centres of their class are most often, in hindsight, and are as likely as that.
    """
    boxes = np.concatenate([each.boxes for each in labels])
    classes = np.concatenate([each.classes for each in labels])
    column = np.floor((boxes[:, 0] - grid.x_min_m) / grid.cell_m)
    row = np.floor((boxes[:, 1] - grid.y_min_m) / grid.cell_m)
    places = np.stack([classes, row, column], 1)
    _, group, counts = np.unique(places, axis=0, return_inverse=True, return_counts=True)
    group = group.reshape(-1)
    chosen = np.argsort(-counts, kind="stable")[:most]
    means = np.array([np.nanmean(np.nan_to_num(boxes[group == k]), axis=0) for k in chosen]).reshape(-1, 9)
    first = np.array([np.flatnonzero(group == k)[0] for k in chosen], dtype=np.intp)
    # Headings have no mean; the first of them will do.
    means[:, 6] = boxes[first, 6]
    return Labels(means, classes[first], np.full(len(chosen), -1)), counts[chosen] / len(labels)


def _with(fixed: Labels, scores: Float64, found: Detections) -> Detections:
    """The fixed boxes in a sample's place."""
    nothing = np.zeros(len(fixed), np.int64)
    return Detections(found.sample_token, fixed.boxes, fixed.classes, nothing, scores, found.T_global_ref)


def _scored(found: Sequence[Detections], keyframes: Sequence[Keyframe], range_m: dict[str, float]) -> dict[str, Any]:
    """The devkit's scores, with the mean over the classes that occur, and over cars, trucks and buses at 2 m."""
    scores = score_detections(found, keyframes, range_m=range_m)
    there = [name for name in CLASSES if scores["boxes"][name]]
    motor = [name for name in MOTOR_VEHICLES if name in there]
    aps = scores["label_aps"]
    scores["mean_ap of classes that occur"] = float(np.mean([list(aps[name].values()) for name in there]))
    scores["vehicles' AP at 2 m"] = float(np.mean([ap_at(aps[name], NEAR_M) for name in motor])) if motor else np.nan
    return scores
