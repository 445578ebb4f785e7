"""Losses of points, unreduced and masked; the caller reduces."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from densegt.depth.point_votes import NO_CLASS
from densegt.motion_net.batches import Targets
from densegt.motion_net.network import MotionOutput

LOVASZ, CLASS, SPEED, OFFSET = 1.0, 0.2, 0.1, 0.1
# Many points of one object count less than so many of several.
FEW_POINTS = 30.0


def losses_of(said: MotionOutput, targets: Targets, example: Tensor) -> dict[str, Tensor]:
    """Mean losses by what they ask for.

    Args:
        example: (P,) which example each point is of: objects of two are two.
    """
    asked = targets.moving >= 0
    moving = targets.moving.clamp(min=0).float()
    weight = object_weight(targets.thing, example) * asked
    entropy = F.binary_cross_entropy_with_logits(said.moving, moving, reduction="none")
    known = targets.kind != NO_CLASS
    kind = F.cross_entropy(said.classes, torch.where(known, targets.kind, 0), reduction="none")
    fast = torch.isfinite(targets.speed_mps) & (targets.speed_mps > 0)
    speed = F.smooth_l1_loss(said.speed_mps, torch.where(fast, targets.speed_mps, 0.0), reduction="none")
    belongs = torch.isfinite(targets.offset_m).all(1)
    aim = torch.where(belongs[:, None], targets.offset_m, 0.0)
    offset = F.smooth_l1_loss(said.offset_m, aim, reduction="none").mean(1)
    return {
        "moving": _mean(entropy, weight),
        "lovasz": LOVASZ * lovasz_hinge(said.moving[asked], moving[asked]),
        "class": CLASS * _mean(kind, known.float()),
        "speed": SPEED * _mean(speed, fast.float()),
        "offset": OFFSET * _mean(offset, belongs.float()),
    }


def object_weight(thing: Tensor, example: Tensor) -> Tensor:
    """(P,) more for points of objects with few points; 1 for those of none."""
    key = example * (int(thing.max()) + 1 if len(thing) else 1) + thing
    _, of, count = torch.unique(key, return_inverse=True, return_counts=True)
    weight = (FEW_POINTS / count.float()).sqrt().clamp(0.5, 4.0)[of]
    return torch.where(thing > 0, weight, torch.ones_like(weight))


def lovasz_hinge(log_odds: Tensor, truth: Tensor) -> Tensor:
    """One minus the IoU, made convex in the margins (Berman et al., CVPR 2018); 0 where nothing is asked."""
    if not len(truth) or truth.sum() == 0:
        return log_odds.sum() * 0
    error = 1 - log_odds * (2 * truth - 1)
    error, order = error.sort(descending=True)
    truth = truth[order]
    inside = truth.sum()
    index = 1 - (inside - truth.cumsum(0)) / (inside + (1 - truth).cumsum(0))
    slope = torch.cat([index[:1], index[1:] - index[:-1]])
    return torch.dot(F.relu(error), slope) / 2


def _mean(loss: Tensor, weight: Tensor) -> Tensor:
    return (loss * weight).sum() / weight.sum().clamp(min=1)
