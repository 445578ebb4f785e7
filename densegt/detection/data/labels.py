"""Labels: a keyframe's boxes as numbers in the ref frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from densegt.datasets.detection_classes import ATTRIBUTES, CLASSES
from densegt.datasets.keyframes import KeyframeBoxes

Float64 = NDArray[np.float64]


@dataclass(frozen=True)
class Labels:
    """N boxes of nuScenes' ten classes, nearest first.

    Attributes:
        boxes: (N,9) x, y, z, l, w, h in m, yaw in rad, vx, vy in m/s (NaN where unknown), in ref.
        classes: (N,) places in CLASSES.
        attributes: (N,) places in ATTRIBUTES, -1 for none.
    """

    boxes: Float64
    classes: NDArray[np.int64]
    attributes: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.classes)


def labels_of(boxes: KeyframeBoxes, T_ref_global: Float64, min_points: int) -> Labels:
    """Boxes of the ten classes with at least `min_points` points; those whose points nobody counted stay."""
    names = boxes.classes
    counted = (boxes.points < 0) | (boxes.points >= min_points)
    kept = np.flatnonzero(counted & np.array([name is not None for name in names], dtype=np.bool_))
    T_ref_box = T_ref_global @ boxes.T_global_box[kept]
    ahead = T_ref_box[:, :2, 0]
    velocity = boxes.velocity_global_mps[kept] @ T_ref_global[:2, :2].T
    rows = np.concatenate(
        [T_ref_box[:, :3, 3], boxes.size_lwh_m[kept], np.arctan2(ahead[:, 1], ahead[:, 0])[:, None], velocity], 1
    )
    order = np.argsort(np.hypot(rows[:, 0], rows[:, 1]), kind="stable")
    picked = kept[order].tolist()
    return Labels(
        rows[order],
        np.array([CLASSES.index(str(names[i])) for i in picked], dtype=np.int64),
        np.array([_attribute(boxes.attributes[i]) for i in picked], dtype=np.int64),
    )


def _attribute(name: str) -> int:
    return ATTRIBUTES.index(name) if name in ATTRIBUTES else -1
