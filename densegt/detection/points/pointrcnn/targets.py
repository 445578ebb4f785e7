"""What points and regions are asked, given the labelled boxes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from densegt.detection.points.pointrcnn.neighbours import inside
from densegt.detection.scoring.rotated_iou import iou_3d

# Points so near to a box, outside of it, may be of it: nothing is asked of them.
UNSURE_M = 0.2
# Labelled boxes are also shown displaced, by at most so much of their size, and turned.
SHAKEN, SHAKEN_RAD = 0.15, 0.2
COPIES = 3


class PointTarget(NamedTuple):
    """For clouds (B,N,3): is it of a box (B,N), is that known (B,N), of which one (B,N), 0 where of none."""

    foreground: Tensor
    known: Tensor
    box: Tensor


class RegionTarget(NamedTuple):
    """For P regions: the labelled box that each overlaps most (P,7), its class's place (P,), -1 for none, IoU (P,)."""

    boxes: Tensor
    classes: Tensor
    iou: Tensor


def wanted(boxes: Tensor, labels: Tensor, classes: tuple[int, ...]) -> tuple[Tensor, Tensor]:
    """(B,M,7) the boxes of these classes, NaN for all others, and (B,M) the places of their classes, -1 for others."""
    place = (labels.unsqueeze(-1) == torch.tensor(classes, device=labels.device)).int()
    there = place.any(-1) & boxes[..., :7].isfinite().all(-1)
    return torch.where(there.unsqueeze(-1), boxes[..., :7], torch.nan), torch.where(there, place.argmax(-1), -1)


@torch.no_grad()
def point_target(xyz: Tensor, boxes: Tensor) -> PointTarget:
    """Of clouds (B,N,3) and boxes (B,M,7), NaN where there is none."""
    margin = boxes.new_tensor([0, 0, 0, 2 * UNSURE_M, 2 * UNSURE_M, 2 * UNSURE_M, 0])
    held, nearly = inside(xyz, boxes), inside(xyz, boxes + margin)
    foreground = held.any(-1)
    return PointTarget(
        foreground, foreground | ~nearly.any(-1), held.int().argmax(-1) if held.shape[-1] else held.sum(-1)
    )


@torch.no_grad()
def region_target(regions: Tensor, sample: Tensor, boxes: Tensor, classes: Tensor) -> RegionTarget:
    """Of regions (P,7) of samples (P,), with boxes (B,M,7) and classes (B,M) as `wanted` gives them."""
    P = len(regions)
    nearest, iou = np.zeros(P, np.int64), np.zeros(P)
    each, meant, of = regions.cpu().double().numpy(), boxes.cpu().double().numpy(), sample.cpu().numpy()
    for b in range(len(boxes)):
        mine = np.flatnonzero(of == b)
        if len(mine) and meant.shape[1]:
            overlaps = iou_3d(each[mine], meant[b])
            nearest[mine], iou[mine] = overlaps.argmax(1), overlaps.max(1)
    at = torch.from_numpy(nearest).to(sample.device)
    found = torch.from_numpy(iou).to(regions)
    if not boxes.shape[1]:
        return RegionTarget(regions, torch.full_like(sample, -1), found)
    return RegionTarget(boxes[sample, at], torch.where(found > 0, classes[sample, at], -1), found)


@torch.no_grad()
def shaken(boxes: Tensor) -> tuple[Tensor, Tensor]:
    """Labelled boxes (B,M,7), displaced and turned a little, several copies of each (P,7), and their samples (P,)."""
    sample, place = boxes.isfinite().all(-1).nonzero().unbind(-1)
    sample, place = sample.repeat(COPIES), place.repeat(COPIES)
    true = boxes[sample, place]
    move = (2 * torch.rand_like(true) - 1) * SHAKEN
    turned = true[:, 6:] + move[:, 6:] / SHAKEN * SHAKEN_RAD
    return torch.cat([true[:, :3] + move[:, :3] * true[:, 3:6], true[:, 3:6] * (1 + move[:, 3:6]), turned], -1), sample


@torch.no_grad()
def learned_from(target: RegionTarget, sample: Tensor, samples: int, *, count: int, right_iou: float) -> Tensor:
    """Places (R,) of regions to learn from: of each sample at most `count`, half of them right where so many are.

    Of the wrong ones those that overlap some box are preferred: they are the hard ones.
    """
    right = (target.iou >= right_iou) & (target.classes >= 0)
    chance = torch.rand(len(sample), device=sample.device)
    hard = (target.iou > 0.05).to(chance)
    chosen = []
    for b in range(samples):
        mine = sample == b
        yes, no = ((mine & kind).nonzero().squeeze(-1) for kind in (right, ~right))
        yes = yes[chance[yes].argsort()][: max(count // 2, count - len(no))]
        no = no[(chance[no] + hard[no]).argsort(descending=True)][: count - len(yes)]
        chosen += [yes, no]
    return torch.cat(chosen)
