"""Scores of a detector on pseudo-LiDAR: cars as KITTI's users know them, depth, and nuScenes' detection scores."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from densegt.datasets.detection_classes import CLASSES
from densegt.detection.bev.grid import BevGrid
from densegt.detection.data.labels import Labels
from densegt.detection.prediction import KeyframeDataset, Prediction
from densegt.detection.scoring.depth_error import DepthError
from densegt.detection.scoring.kitti_ap import KittiAp
from densegt.detection.scoring.nuscenes_metrics import ap_at, ranges_within, score_detections
from densegt.detection.scoring.nuscenes_results import Detections

# KITTI's class.
CAR = CLASSES.index("car")
THRESHOLDS = (0.3, 0.5, 0.7)
NEAR_M = 2.0


class PlScores:
    """Sums over keyframes of one recording.

    Args:
        grid: boxes beyond it are neither asked for nor counted.
        depth_m: from where to where depth is looked at.
    """

    def __init__(self, grid: BevGrid, depth_m: tuple[float, float]) -> None:
        self._grid = grid
        self._cars = KittiAp(THRESHOLDS)
        self._depth = DepthError(*depth_m)
        self._found: list[Detections] = []

    def update(self, prediction: Prediction, labels: Labels) -> None:
        """Add a keyframe."""
        found = prediction.found
        said = (found.classes == CAR) & _inside(found.boxes, self._grid)
        true = (labels.classes == CAR) & _inside(labels.boxes, self._grid)
        self._cars.update(found.boxes[said], found.scores[said], labels.boxes[true])
        for depth_m, truth_m in zip(prediction.depth_m, prediction.truth_m, strict=True):
            self._depth.update(depth_m, truth_m)
        self._found.append(found)

    def compute(self, dataset: KeyframeDataset) -> dict[str, Any]:
        """`cars`: their AP within the grid. `depth`: errors of the points' depth. `detection`: nuScenes' scores."""
        detection = score_detections(self._found, dataset.keyframes, range_m=ranges_within(self._grid))
        detection["car AP at 2 m"] = ap_at(detection["label_aps"]["car"], NEAR_M)
        return {"cars": self.cars(), "depth": self.depth(), "detection": detection}

    def cars(self) -> dict[str, float]:
        """Their AP as KITTI's users know it, within the grid."""
        return self._cars.compute()

    def depth(self) -> dict[str, dict[str, float]]:
        """Errors of the points' depth."""
        return self._depth.compute()


def _inside(boxes: NDArray[np.float64], grid: BevGrid) -> NDArray[np.bool_]:
    """Whose centres lie in the grid, seen from above."""
    x, y = boxes[:, 0], boxes[:, 1]
    return (x >= grid.x_min_m) & (x < grid.x_max_m) & (y >= grid.y_min_m) & (y < grid.y_max_m)
