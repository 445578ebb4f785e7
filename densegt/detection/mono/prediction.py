"""What a trained monocular detector says of keyframes, in numbers outside of torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from densegt.datasets.detection_classes import ATTRIBUTES, CLASSES
from densegt.detection.prediction import Prediction
from densegt.detection.scoring.nuscenes_results import Detections
from densegt.detection.scoring.rotated_iou import nms

Float64 = NDArray[np.float64]
# Boxes of two cameras that share more than this, seen from above, are one.
SAME = 0.25
PARKED = ATTRIBUTES.index("vehicle.parked")


@dataclass(frozen=True, kw_only=True)
class MonoPrediction(Prediction):
    """Of one keyframe with N objects in its images, before those that two cameras saw became one.

    Attributes:
        said, true: (N,7) boxes in their views, see `MonoBatch`; NaN where there is no label.
        moving: (N,) 1, 0 or NaN; cut: (N,).
    """

    said: Float64
    true: Float64
    moving: Float64
    cut: NDArray[np.bool_]


def no_depth() -> dict[str, Any]:
    """What a prediction says of depth."""
    return dict.fromkeys(("depth_m", "sigma_m", "truth_m"), np.zeros((0, 1, 1), np.float32))


def in_ref(boxes: Float64, T_ref_view: Float64) -> Float64:
    """(N,7) boxes in ref, of boxes (N,7) in views (N,4,4)."""
    middle = np.einsum("nij,nj->ni", T_ref_view[:, :3, :3], boxes[:, :3]) + T_ref_view[:, :3, 3]
    turn = np.arctan2(T_ref_view[:, 1, 0], T_ref_view[:, 0, 0])
    yaw = (boxes[:, 6] + turn + np.pi) % (2 * np.pi) - np.pi
    return np.column_stack([middle, boxes[:, 3:6], yaw])


def merged(boxes: Float64, names: list[str], scores: Float64, sample_token: str, T_global_ref: Float64) -> Detections:
    """One of each object that several cameras saw; boxes (N,7) in ref."""
    kept = [
        np.flatnonzero(of)[nms(boxes[of], scores[of], iou=SAME, most=int(of.sum()))]
        for of in (np.array([n == name for n in names], np.bool_) for name in dict.fromkeys(names))
    ]
    rows = np.concatenate([np.zeros(0, np.int64), *kept])
    return Detections(
        sample_token=sample_token,
        boxes=np.column_stack([boxes[rows], np.zeros((len(rows), 2))]),
        classes=np.array([CLASSES.index(names[i]) for i in rows], np.int64),
        attributes=np.full(len(rows), PARKED, np.int64),
        scores=scores[rows],
        T_global_ref=T_global_ref,
    )
