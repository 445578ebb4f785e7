"""Of boxes of one class that stand in the same place only the likeliest stays."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from densegt.detection.bev.heads import DecodedBoxes
from densegt.detection.scoring.rotated_iou import nms


def suppress(found: DecodedBoxes, iou: float, *, most: int) -> DecodedBoxes:
    """The best boxes, at most so many; of those that overlap more than `iou` the best of a class, or score 0."""
    boxes, labels, scores = (np.asarray(part.detach().cpu()) for part in (found.boxes, found.labels, found.scores))
    kept = np.stack([_kept(*sample, iou, most) for sample in zip(boxes, labels, scores, strict=True)])
    left = torch.where(torch.from_numpy(kept).to(found.scores.device), found.scores, 0)
    order = left.argsort(dim=1, descending=True, stable=True)[:, :most]
    return DecodedBoxes(
        found.boxes.gather(1, order.unsqueeze(-1).expand(-1, -1, found.boxes.shape[-1])),
        *(part.gather(1, order) for part in (found.labels, left, found.attributes)),
    )


def _kept(
    boxes: NDArray[np.float32], labels: NDArray[np.int64], scores: NDArray[np.float32], iou: float, most: int
) -> NDArray[np.bool_]:
    kept = np.zeros(len(scores), np.bool_)
    for label in np.unique(labels):
        own = np.flatnonzero((labels == label) & (scores > 0))
        kept[own[nms(boxes[own], scores[own], iou=iou, most=most)]] = True
    return kept
