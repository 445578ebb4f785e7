"""Of boxes of one class that stand in the same place only the likeliest stays."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from densegt.detection.bev.heads import DecodedBoxes
from densegt.detection.scoring.rotated_iou import nms


def suppress(found: DecodedBoxes, iou: float) -> DecodedBoxes:
    """The same boxes, best first; those that overlap a better one of their class by more than `iou` have score 0."""
    boxes, labels, scores = (np.asarray(part.detach().cpu()) for part in (found.boxes, found.labels, found.scores))
    kept = np.stack([_kept(*sample, iou) for sample in zip(boxes, labels, scores, strict=True)])
    left = torch.where(torch.from_numpy(kept).to(found.scores.device), found.scores, 0)
    order = left.argsort(dim=1, descending=True, stable=True)
    return DecodedBoxes(
        found.boxes.gather(1, order.unsqueeze(-1).expand_as(found.boxes)),
        *(part.gather(1, order) for part in (found.labels, left, found.attributes)),
    )


def _kept(
    boxes: NDArray[np.float32], labels: NDArray[np.int64], scores: NDArray[np.float32], iou: float
) -> NDArray[np.bool_]:
    kept = np.zeros(len(scores), np.bool_)
    for label in np.unique(labels):
        mine = np.flatnonzero(labels == label)
        kept[mine[nms(boxes[mine], scores[mine], iou=iou, most=len(mine))]] = True
    return kept
