"""What a wrong answer costs, each cell for itself; the caller weighs and reduces."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

DepthLoss = Literal["ce", "focal", "bce"]
FOCAL_GAMMA, FOCAL_ALPHA = 2.0, 0.25
# CenterNet's: how much cells near a centre are spared.
HEAT_ALPHA, HEAT_BETA = 2.0, 4.0
TINY = 1e-6


def depth_loss(kind: DepthLoss, log_p: Tensor, target: Tensor) -> Tensor:
    """(N,h,w) from log-probabilities (N,D,h,w) and a target of that shape; zero where the target is all zero."""
    return {"ce": cross_entropy, "focal": focal, "bce": binary}[kind](log_p, target)


def cross_entropy(log_p: Tensor, target: Tensor) -> Tensor:
    """-sum target log p."""
    return -(target * log_p).sum(1)


def focal(log_p: Tensor, target: Tensor, *, gamma: float = FOCAL_GAMMA, alpha: float = FOCAL_ALPHA) -> Tensor:
    """-alpha sum target (1 - p)^gamma log p (T. Lin et al., 2017; CaDDN's settings)."""
    return -alpha * (target * (1 - log_p.exp()).clamp(min=0) ** gamma * log_p).sum(1)


def binary(log_p: Tensor, target: Tensor) -> Tensor:
    """Each bin asked yes or no, summed (Y. Li et al., BEVDepth, 2022), with arithmetic in float32 at least."""
    p = log_p.float().exp()
    costs = functional.binary_cross_entropy(p.clamp(TINY, 1 - TINY), target.float(), reduction="none").sum(1)
    return torch.where(target.sum(1) > 0, costs, 0)


def heat_loss(logits: Tensor, heat: Tensor) -> Tensor:
    """Focal loss for heat maps (X. Zhou et al., Objects as Points, 2019), of the same shape; float32 inside."""
    logits = logits.float()
    log_p, log_not = functional.logsigmoid(logits), functional.logsigmoid(-logits)
    p = log_p.exp()
    centre = -((1 - p) ** HEAT_ALPHA) * log_p
    elsewhere = -((1 - heat) ** HEAT_BETA) * p**HEAT_ALPHA * log_not
    return torch.where(heat >= 1, centre, elsewhere)


def known_l1(values: Tensor, target: Tensor) -> Tensor:
    """|values - target|, 0 where the target is NaN, and without a gradient there."""
    known = target.isfinite()
    return torch.where(known, (values - torch.where(known, target, 0)).abs(), 0)


def weighted_mean(loss: Tensor, weight: Tensor) -> Tensor:
    """Sum of loss times weight over the sum of the weights; 0 where those are none."""
    return (loss * weight).sum() / weight.sum().clamp(min=TINY)
