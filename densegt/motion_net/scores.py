"""Scores of votes against labels: points, objects by range, kind and speed, and classes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from densegt.depth.point_votes import NO_CLASS
from densegt.motion_net.classes import CLASSES
from densegt.motion_net.labels.point_labels import MOVING_MPS

# An object counts in a scan where it has so many points, and is found where this share of them is.
MIN_POINTS, FOUND_SHARE = 5, 0.5
RANGES_M = (10.0, 20.0, 30.0, 50.0)
SPEEDS_MPS = (1.0, 3.0, 8.0)
# The headline: objects faster than this and nearer than that.
FAST_MPS, NEAR_M = 1.0, 30.0


@dataclass
class MotionScores:
    """Sums over scans; `update` adds one, `compute` gives figures.

    Attributes:
        points: true positives, false positives, false negatives of moving points.
        objects: found and all, by group.
        classes: (C,C) confusion, truth by row.
    """

    points: NDArray[np.int64] = field(default_factory=lambda: np.zeros(3, dtype=np.int64))
    objects: dict[str, NDArray[np.int64]] = field(default_factory=dict)
    classes: NDArray[np.int64] = field(default_factory=lambda: np.zeros((len(CLASSES),) * 2, dtype=np.int64))

    def update(
        self,
        moving: NDArray[np.bool_],
        truth: NDArray[np.int8],
        thing: NDArray[np.integer[Any]],
        speed_mps: NDArray[np.float32],
        range_m: NDArray[np.float32],
        kind: NDArray[np.uint8],
    ) -> None:
        """Add one scan's points (N); truth below 0 is not counted."""
        asked = truth >= 0
        yes = truth == 1
        self.points += [(moving & yes).sum(), (moving & asked & ~yes).sum(), (~moving & yes).sum()]
        rows = np.flatnonzero((thing > 0) & yes)
        if not len(rows):
            return
        _, first, of, count = np.unique(thing[rows], return_index=True, return_inverse=True, return_counts=True)
        found = np.bincount(of, moving[rows]) >= FOUND_SHARE * count
        for k in np.flatnonzero(count >= MIN_POINTS):
            mine = rows[of == k]
            row = rows[first[k]]
            self._add(float(speed_mps[row]), float(np.median(range_m[mine])), int(kind[row]), bool(found[k]))

    def update_classes(self, said: NDArray[np.integer[Any]], truth: NDArray[np.uint8]) -> None:
        """Add one scan's classes (N)."""
        known = truth != NO_CLASS
        flat = truth[known].astype(np.int64) * len(CLASSES) + said[known]
        self.classes += np.bincount(flat, minlength=len(CLASSES) ** 2).reshape(self.classes.shape)

    def _add(self, speed_mps: float, range_m: float, kind: int, found: bool) -> None:
        if speed_mps < MOVING_MPS:
            return
        groups = ["all", _band("range m", range_m, RANGES_M), _band("speed m/s", speed_mps, SPEEDS_MPS)]
        groups.append(f"kind {CLASSES[kind]}" if kind != NO_CLASS else "kind other")
        if speed_mps > FAST_MPS and range_m < NEAR_M:
            groups.append("near and fast")
        for group in groups:
            self.objects.setdefault(group, np.zeros(2, dtype=np.int64))
            self.objects[group] += [found, 1]

    def compute(self) -> dict[str, Any]:
        """Shares in percent; None where nothing counts."""
        hit, wrong, missed = (int(n) for n in self.points)
        inside = np.diag(self.classes)
        union = self.classes.sum(0) + self.classes.sum(1) - inside
        there = self.classes.sum(1) > 0
        return {
            "IoU": _percent(hit, hit + wrong + missed),
            "precision": _percent(hit, hit + wrong),
            "recall": _percent(hit, hit + missed),
            "objects found": {g: _percent(int(n[0]), int(n[1])) for g, n in sorted(self.objects.items())},
            "objects": {group: int(n[1]) for group, n in sorted(self.objects.items())},
            "mIoU of classes": float(100 * (inside[there] / union[there]).mean()) if there.any() else None,
        }


def _band(name: str, value: float, edges: tuple[float, ...]) -> str:
    k = int(np.searchsorted(edges, value))
    low = 0.0 if k == 0 else edges[k - 1]
    return f"{name} {low:g}-{edges[k]:g}" if k < len(edges) else f"{name} {low:g}+"


def _percent(part: int, whole: int) -> float | None:
    return 100 * part / whole if whole else None
