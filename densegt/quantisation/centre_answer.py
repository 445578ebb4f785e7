"""From a network's answer of centres to boxes, without torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter

from densegt.detection.bev.grid import BevGrid
from densegt.detection.scoring.nuscenes_results import Detections
from densegt.detection.scoring.rotated_iou import nms
from densegt.quantisation.engine import Arrays

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Places = NDArray[np.int64]
# Of the logarithm of a size in m: what is beyond is no answer of a network in its right mind.
SIZE_LIMITS = -3.0, 4.0


class FoundBoxes(NamedTuple):
    """Boxes (K,9) in ref, best first, their classes, attributes and scores."""

    boxes: Float32
    labels: Places
    attributes: Places
    scores: Float32

    def detections(self, sample_token: str, T_global_ref: Float64) -> Detections:
        """As results are written."""
        return Detections(
            sample_token, self.boxes.astype(np.float64), self.labels, self.attributes, self.scores.astype(np.float64),
            T_global_ref,
        )  # fmt: skip


def boxes_of(order: Places, scores: Float32, outputs: Arrays, facts: Mapping[str, Any], grid: BevGrid) -> FoundBoxes:
    """Of places in the heat, best first, without those that a better one of their class overlaps."""
    boxes, labels, cells = decode(order, outputs["values"][0], grid)
    sure = scores.ravel()[order]
    kept = _suppressed(boxes, labels, sure, facts["min_overlap"], facts["max_boxes"])
    attributes = outputs["attributes"][0].reshape(outputs["attributes"].shape[1], -1).argmax(0)
    return FoundBoxes(boxes[kept], labels[kept], attributes[cells[kept]], sure[kept])


def peaks(scores: Float32) -> Float32:
    """Scores (classes,Y,X) of cells that no neighbour of the same class outdoes, 0 of others."""
    highest = maximum_filter(scores, (1, 3, 3), mode="constant")
    return np.where(scores == highest, scores, np.float32(0))


def likeliest(scores: Float32, most: int, least: float) -> Places:
    """Places of the best scores, flattened, best first."""
    order: Places = np.argsort(-scores, axis=None, kind="stable")[:most]
    return order[scores.ravel()[order] >= least]


def decode(order: Places, values: Float32, grid: BevGrid) -> tuple[Float32, Places, Places]:
    """Boxes (K,9), classes and cells of places in the heat (classes,Y,X), of values (10,Y,X)."""
    labels, cells = np.divmod(order, grid.cells)
    said = values.reshape(len(values), -1)[:, cells]
    row, column = np.divmod(cells, grid.shape[1])
    half = np.float32(0.5)
    x = grid.x_min_m + (column.astype(np.float32) + half + said[0]) * np.float32(grid.cell_m)
    y = grid.y_min_m + (row.astype(np.float32) + half + said[1]) * np.float32(grid.cell_m)
    size = np.exp(np.clip(said[3:6], *SIZE_LIMITS))
    yaw = np.arctan2(said[6], said[7])
    boxes = np.stack([x, y, said[2], *size, yaw, said[8], said[9]], 1).astype(np.float32)
    return boxes, labels, cells


def probability(logits: Float32) -> Float32:
    """Of logits."""
    with np.errstate(over="ignore"):
        return np.asarray(1 / (1 + np.exp(-logits)), np.float32)


def _suppressed(boxes: Float32, labels: Places, scores: Float32, iou: float | None, most: int) -> NDArray[np.intp]:
    """Which boxes stay, best first; all, where no overlap is too large."""
    if iou is None:
        return np.arange(min(len(scores), most))
    kept = np.zeros(len(scores), np.bool_)
    for label in np.unique(labels):
        own = np.flatnonzero(labels == label)
        kept[own[nms(boxes[own], scores[own], iou=iou, most=most)]] = True
    # They come best first, and stay so.
    return np.flatnonzero(kept)[:most]
