"""Average precision from above, by class and by range."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from densegt.datasets.detection_classes import CLASSES
from densegt.detection.bev.grid import BevGrid
from densegt.detection.data.labels import Labels
from densegt.detection.scoring.kitti_ap import KittiAp
from densegt.detection.scoring.nuscenes_results import Detections

IOU = 0.5
RANGES_M = ((0, 15), (15, 30), (30, 50))
EVERYWHERE = "all"


class BevAp:
    """Sums over keyframes; boxes beyond the grid are neither asked for nor counted.

    In a range count the found and the labelled boxes whose centres lie in it.
    """

    def __init__(self, grid: BevGrid) -> None:
        self._grid = grid
        self._sums: dict[tuple[str, str], KittiAp] = {}
        self._labels: dict[tuple[str, str], int] = {}

    def update(self, found: Detections, labels: Labels) -> None:
        """Add a keyframe."""
        for number, name in enumerate(CLASSES):
            said, true = found.classes == number, labels.classes == number
            if not said.any() and not true.any():
                continue
            for part, (low, high) in ({EVERYWHERE: (0.0, np.inf)} | _parts()).items():
                ours, theirs = (self._within(b, low, high) for b in (found.boxes, labels.boxes))
                key = (name, part)
                sums = self._sums.setdefault(key, KittiAp((IOU,)))
                sums.update(found.boxes[said & ours], found.scores[said & ours], labels.boxes[true & theirs])
                self._labels[key] = self._labels.get(key, 0) + int((true & theirs).sum())

    def compute(self) -> dict[str, dict[str, float]]:
        """AP by class, then by range; only of what has a labelled box."""
        table: dict[str, dict[str, float]] = {}
        for (name, part), sums in self._sums.items():
            if self._labels[name, part]:
                table.setdefault(name, {})[part] = sums.compute()[f"BEV AP at {IOU}"]
        return table

    def counts(self) -> dict[str, int]:
        """Labelled boxes of each class."""
        return {name: count for (name, part), count in self._labels.items() if part == EVERYWHERE and count}

    def _within(self, boxes: NDArray[np.float64], low_m: float, high_m: float) -> NDArray[np.bool_]:
        x, y, g = boxes[:, 0], boxes[:, 1], self._grid
        away = np.hypot(x, y)
        inside: NDArray[np.bool_] = (x >= g.x_min_m) & (x < g.x_max_m) & (y >= g.y_min_m) & (y < g.y_max_m)
        return inside & (away >= low_m) & (away < high_m)


def _parts() -> dict[str, tuple[float, float]]:
    return {f"{low}-{high} m": (float(low), float(high)) for low, high in RANGES_M}
