"""What both stages are asked, as mean losses."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from densegt.detection.points.pointrcnn.box_bins import BoxBins
from densegt.detection.points.pointrcnn.frames import boxes_in_frame
from densegt.detection.points.pointrcnn.proposals import Regions, from_points
from densegt.detection.points.pointrcnn.targets import PointTarget, RegionTarget

FOCAL_GAMMA, FOCAL_ALPHA = 2.0, 0.25


def foreground_loss(logits: Tensor, there: Tensor, target: PointTarget) -> Tensor:
    """Focal loss (T. Lin et al., 2017) over points (B,N) that are there and known, for each of an object's points."""
    asked = there & target.known
    truth = target.foreground.to(logits)
    costs = functional.binary_cross_entropy_with_logits(logits, truth, reduction="none")
    wrong = (truth - logits.sigmoid()).abs()
    share = torch.where(target.foreground, FOCAL_ALPHA, 1 - FOCAL_ALPHA)
    return (share * wrong**FOCAL_GAMMA * costs * asked).sum() / _count(asked & target.foreground)


def proposal_loss(
    xyz: Tensor, values: Tensor, there: Tensor, target: PointTarget, boxes: Tensor, bins: BoxBins
) -> Tensor:
    """Mean over the points (B,N,3) of objects; boxes (B,M,7). A point that moves sees its box elsewhere."""
    mine = there & target.foreground
    sample, point = mine.nonzero().unbind(-1)
    meant = boxes[sample, target.box[sample, point]]
    return bins.losses(values[mine], from_points(meant, xyz[mine])).sum() / _count(mine)


def class_loss(logits: Tensor, target: RegionTarget, *, sure_iou: float, wrong_iou: float) -> Tensor:
    """Mean binary cross-entropy over regions (P,classes) that are surely objects, or surely not."""
    sure = (target.iou >= sure_iou) & (target.classes >= 0)
    asked = sure | (target.iou < wrong_iou)
    truth = functional.one_hot(target.classes.clamp(min=0), logits.shape[-1]) * sure.unsqueeze(-1)
    costs = functional.binary_cross_entropy_with_logits(logits, truth.to(logits), reduction="none").sum(-1)
    return (costs * asked).sum() / _count(asked)


def region_loss(values: Tensor, regions: Regions, target: RegionTarget, bins: BoxBins, *, right_iou: float) -> Tensor:
    """Mean over the regions (P,numbers) that overlap an object well."""
    right = (target.iou >= right_iou) & (target.classes >= 0)
    seen = boxes_in_frame(target.boxes[right], regions.boxes[right])
    return bins.losses(values[right], seen).sum() / _count(right)


def _count(mask: Tensor) -> Tensor:
    return mask.sum().clamp(min=1)
