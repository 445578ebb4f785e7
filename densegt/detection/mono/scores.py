"""Scores of a monocular detector: each object beside its label, KITTI's AP, and nuScenes' detection scores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from densegt.datasets.detection_classes import CLASSES, RANGE_M
from densegt.detection.data.labels import Labels
from densegt.detection.mono.object_errors import ObjectErrors
from densegt.detection.mono.prediction import MonoPrediction
from densegt.detection.prediction import KeyframeDataset
from densegt.detection.scoring.kitti_ap import KittiAp
from densegt.detection.scoring.nuscenes_metrics import score_detections
from densegt.detection.scoring.nuscenes_results import Detections

THRESHOLDS = (0.3, 0.5, 0.7)


class MonoScores:
    """Sums over keyframes of recordings."""

    def __init__(self, classes: Sequence[str]) -> None:
        self._classes = [CLASSES.index(name) for name in classes]
        self._first = CLASSES.index(classes[0])
        self._objects, self._kitti = ObjectErrors(), KittiAp(THRESHOLDS)
        self._found: list[Detections] = []

    def update(self, prediction: MonoPrediction, labels: Labels) -> None:
        """Add a keyframe."""
        self._objects.update(prediction.said, prediction.true, prediction.moving, prediction.cut)
        found, reach = prediction.found, RANGE_M[CLASSES[self._first]]
        said = (found.classes == self._first) & (np.hypot(*found.boxes[:, :2].T) < reach)
        true = (labels.classes == self._first) & (np.hypot(*labels.boxes[:, :2].T) < reach)
        self._kitti.update(found.boxes[said], found.scores[said], labels.boxes[true])
        self._found.append(found)

    def compute(self, dataset: KeyframeDataset) -> dict[str, Any]:
        """`objects`: see `ObjectErrors`; `kitti`: of the first class; `detection`: nuScenes' scores of the classes."""
        detection = score_detections(self._found, dataset.keyframes)
        names = [CLASSES[i] for i in self._classes]
        kept = {key: {n: detection[key][n] for n in names} for key in ("label_aps", "label_tp_errors", "mean_dist_aps")}
        return {"objects": self.objects(), "kitti": self._kitti.compute(), "detection": kept}

    def objects(self) -> dict[str, dict[str, float]]:
        """See `ObjectErrors`."""
        return self._objects.compute()
