"""Scores of a trained detector: vehicles' IoU, depth, nuScenes' detection scores, each beside a fixed answer's."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from densegt.datasets.detection_classes import CLASSES, RANGE_M
from densegt.datasets.nuscenes.results import Detections, score_results, write_results
from densegt.detection.bev.grid import BevGrid
from densegt.detection.data.dataset import NuScenesDepth
from densegt.detection.data.labels import Labels
from densegt.detection.infer import Prediction
from densegt.detection.scoring.depth_error import DepthError
from densegt.detection.scoring.vehicle_iou import VehicleIou
from densegt.detection.train_config import LssConfig

Float64 = NDArray[np.float64]
# The task of vehicles only, scored at one distance: what small worlds can tell.
MOTOR_VEHICLES = ("car", "truck", "bus")
NEAR = "2.0"


class Scores:
    """Sums over keyframes of one folder; `compute` also asks the devkit."""

    def __init__(self, config: LssConfig) -> None:
        model = config.model
        self._grid = model.grid.made()
        self._iou = VehicleIou(self._grid.shape)
        self._depth = DepthError(model.bins.min_m, model.bins.max_m)
        self.found: list[Detections] = []

    def update(self, said: Prediction) -> None:
        """Add a keyframe."""
        self._iou.update(said.vehicles > 0.5, said.truth)
        for depth_m, truth_m in zip(said.depth_m, said.truth_m, strict=True):
            self._depth.update(depth_m, truth_m)
        self.found.append(said.found)

    def compute(self, dataset: NuScenesDepth) -> dict[str, Any]:
        """`vehicles`, `depth`, `detection` and `detection of the best fixed boxes`.

        Classes are looked for as far as nuScenes does, or as the grid reaches in x and y where that is nearer.
        """
        range_m = within(self._grid)
        fixed = fixed_boxes([dataset.labels(i) for i in range(len(dataset))], self._grid)
        constant = [_with(*fixed, found) for found in self.found]
        return {
            "keyframes": len(self.found),
            "range_m": range_m,
            "vehicles": self._iou.compute(),
            "depth": self._depth.compute(),
            "detection": _scored(self.found, dataset, range_m),
            "detection of the best fixed boxes": _scored(constant, dataset, range_m),
        }


def within(grid: BevGrid) -> dict[str, float]:
    """Ranges of the classes, none beyond the grid."""
    reach = min(grid.x_max_m, grid.y_max_m, -grid.x_min_m, -grid.y_min_m)
    return {name: min(far, reach) for name, far in RANGE_M.items()}


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


def _scored(found: Iterable[Detections], dataset: NuScenesDepth, range_m: dict[str, float]) -> dict[str, Any]:
    """The devkit's scores, with the mean over the classes that occur, and over cars, trucks and buses at 2 m."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "results.json"
        write_results(path, list(found))
        scores = score_results(path, dataset.dataroot, dataset.version, range_m=range_m)
    there = [name for name in CLASSES if scores["boxes"][name]]
    motor = [name for name in MOTOR_VEHICLES if name in there]
    aps = scores["label_aps"]
    scores["mean_ap of classes that occur"] = float(np.mean([list(aps[name].values()) for name in there]))
    scores["vehicles' AP at 2 m"] = float(np.mean([at(aps[name], NEAR) for name in motor])) if motor else float("nan")
    return scores


def at(aps: dict[Any, float], distance: str) -> float:
    """AP at a distance; the devkit's keys are numbers."""
    return next(value for key, value in aps.items() if float(key) == float(distance))
