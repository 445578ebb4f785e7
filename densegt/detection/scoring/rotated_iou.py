"""Intersection over union of turned boxes, on the ground plane and in space, exactly."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from densegt.kernels.rotated_overlap import rotated_overlap
from densegt.kernels.suppress_overlapping import suppress_overlapping

Float64 = NDArray[np.float64]
Boxes = NDArray[np.floating[Any]]


def bev_iou(a: Boxes, b: Boxes) -> Float64:
    """(N,M) of footprints; boxes (N,>=7) and (M,>=7): x, y, z of the middle, l, w, h in m, yaw in rad.

    0 where a box has no area, or is not finite.
    """
    both = _shared_m2(a, b)
    area_a, area_b = (np.asarray(boxes[:, 3], np.float64) * boxes[:, 4] for boxes in (a, b))
    return _share(both, area_a[:, None] + area_b - both)


def iou_3d(a: Boxes, b: Boxes) -> Float64:
    """(N,M) of volumes; boxes as in `bev_iou`, upright."""
    half_a, half_b = a[:, 5] / 2, b[:, 5] / 2
    top = np.minimum.outer(a[:, 2] + half_a, b[:, 2] + half_b)
    bottom = np.maximum.outer(a[:, 2] - half_a, b[:, 2] - half_b)
    both = _shared_m2(a, b) * np.maximum(np.nan_to_num(top - bottom), 0)
    volume_a, volume_b = (np.prod(np.asarray(boxes[:, 3:6], np.float64), axis=1) for boxes in (a, b))
    return _share(both, volume_a[:, None] + volume_b - both)


def nms(boxes: Boxes, scores: NDArray[np.floating[Any]], *, iou: float, most: int) -> NDArray[np.int64]:
    """Which boxes (N,>=7) to keep, best first: none overlaps a better one on the ground plane by more than `iou`.

    Boxes of equal score keep their order.
    """
    order = np.argsort(-scores, kind="stable")
    kept = np.empty(min(most, len(order)), np.int64)
    count = suppress_overlapping(_rectangles(boxes[order]), iou, len(kept), kept)
    chosen: NDArray[np.int64] = order[kept[:count]]
    return chosen


def _shared_m2(a: Boxes, b: Boxes) -> Float64:
    both = np.zeros((len(a), len(b)))
    rotated_overlap(_rectangles(a), _rectangles(b), both)
    return both


def _rectangles(boxes: Boxes) -> Float64:
    return np.ascontiguousarray(boxes[:, [0, 1, 3, 4, 6]], dtype=np.float64)


def _share(both: Float64, either: Float64) -> Float64:
    # A finite box beside one that is not shares nothing with it, whatever they are together.
    return np.divide(both, either, out=np.zeros_like(both), where=(both > 0) & (either > 0))
