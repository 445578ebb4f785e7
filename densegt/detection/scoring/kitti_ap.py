"""Average precision as users of KITTI know it: overlap of turned boxes, forty points of recall."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from densegt.detection.scoring.kitti_official_ap import ScoredOverlaps, official_average_precision
from densegt.detection.scoring.rotated_iou import bev_iou, iou_3d

Boxes = NDArray[np.floating[Any]]
Float64 = NDArray[np.float64]
THRESHOLDS = (0.5, 0.7)
POINTS = 40
OVERLAPS = {"BEV": bev_iou, "3D": iou_3d}


class KittiAp:
    """Sums over samples, of one class, or of several taken as one.

    A sample's boxes are looked at from the surest on; each finds the labelled box, of those not found yet, that it
    overlaps most, if by at least the threshold; precision is interpolated at exact recalls. KITTI's own evaluation
    takes it at scores of right boxes instead, see `official_average_precision`. KITTI's levels of difficulty are not
    known of other data: every labelled box counts, and so does every false one.
    """

    def __init__(self, thresholds: tuple[float, ...] = THRESHOLDS) -> None:
        self._thresholds = thresholds
        self._labels = 0
        self._scores: list[Float64] = []
        self._samples: dict[str, list[ScoredOverlaps]] = {how: [] for how in OVERLAPS}
        self._right: dict[tuple[str, float], list[NDArray[np.bool_]]] = {
            (how, threshold): [] for how in OVERLAPS for threshold in thresholds
        }

    def update(self, boxes: Boxes, scores: NDArray[np.floating[Any]], truth: Boxes) -> None:
        """Add a sample: found boxes (N,>=7) with scores (N,), and labelled ones (M,>=7); see `bev_iou`."""
        order = np.argsort(-scores, kind="stable")
        self._labels += len(truth)
        self._scores.append(np.asarray(scores[order], np.float64))
        for how, overlap in OVERLAPS.items():
            found = overlap(boxes[order], truth)
            self._samples[how].append(ScoredOverlaps(self._scores[-1], found))
            for threshold in self._thresholds:
                self._right[how, threshold].append(matched(found, threshold))

    def compute(self) -> dict[str, float]:
        """`BEV AP at 0.5` and so on, 0 to 1, and `BEV AP at 0.5, KITTI's rule`; NaN where nothing is labelled."""
        scores, found = np.concatenate([np.zeros(0), *self._scores]), {}
        for (how, threshold), right in self._right.items():
            every = np.concatenate([np.zeros(0, np.bool_), *right])
            name = f"{how} AP at {threshold}"
            found[name] = average_precision(scores, every, self._labels)
            found[f"{name}, KITTI's rule"] = official_average_precision(self._samples[how], threshold)
        return found


def matched(overlaps: Float64, threshold: float) -> NDArray[np.bool_]:
    """Which found boxes are right (N,), given their overlaps with labelled ones (N,M), the surest first."""
    free = np.ones(overlaps.shape[1], np.bool_)
    right = np.zeros(len(overlaps), np.bool_)
    for i, row in enumerate(overlaps):
        possible = free & (row >= threshold)
        if possible.any():
            free[np.argmax(np.where(possible, row, -1.0))] = False
            right[i] = True
    return right


def average_precision(scores: Float64, right: NDArray[np.bool_], labels: int) -> float:
    """Mean over recalls 1/40, 2/40, ..., 1 of the best precision at that recall or beyond (A. Simonelli et al., 2019).

    Boxes of equal score come together, so that their order says nothing.

    Args:
        scores, right: (N,) of all samples, in any order.
        labels: how many boxes there were to be found.
    """
    if labels == 0:
        return float("nan")
    order = np.argsort(-scores, kind="stable")
    true = np.cumsum(right[order])
    last = np.append(np.diff(scores[order]) != 0, True)[: len(order)]
    recall, precision = true[last] / labels, (true / np.arange(1, len(order) + 1))[last]
    best = np.maximum.accumulate(precision[::-1])[::-1]
    at = np.searchsorted(recall, np.arange(1, POINTS + 1) / POINTS - 1e-9)
    return float(np.append(best, 0.0)[at].mean())
