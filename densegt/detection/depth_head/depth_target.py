"""From depth of pixels to what is asked of a cell of the feature map, which covers a patch of them."""

from __future__ import annotations

from typing import Literal, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from densegt.detection.depth_head.bins import NO_BIN, Bins

Patch = Literal["nearest", "mode", "distribution"]


class DepthTarget(NamedTuple):
    """Of N images.

    Attributes:
        depth_m: (N,h,w), 0 = nothing is asked.
        weight: (N,h,w) how far it is to be believed, 0 to 1, 0 where nothing is asked.
        distribution: (N,D,h,w) over the bins, of sum 1 where something is asked; None where the depth says it all.
    """

    depth_m: Tensor
    weight: Tensor
    distribution: Tensor | None = None


def depth_target(kind: Patch, depth_m: Tensor, confidence: Tensor, bins: Bins, *, stride: int) -> DepthTarget:
    """What to ask of each cell; depth_m, confidence (N,H,W). Depth outside the bins counts as unknown."""
    if kind == "nearest":
        return nearest(depth_m, confidence, bins, stride=stride)
    if kind == "mode":
        return mode(depth_m, confidence, bins, stride=stride)
    return distribution(depth_m, confidence, bins, stride=stride)


def nearest(depth_m: Tensor, confidence: Tensor, bins: Bins, *, stride: int) -> DepthTarget:
    """The nearest depth of the patch, with its confidence. For sparse depth, where far points shine through."""
    depth, sure = (_patches(layer, stride) for layer in (depth_m, confidence))
    known = bins.index(depth) != NO_BIN
    least, at = torch.where(known, depth, torch.inf).min(-1)
    any_known = known.any(-1)
    weight = sure.gather(-1, at.unsqueeze(-1)).squeeze(-1)
    return DepthTarget(torch.where(any_known, least, 0), torch.where(any_known, weight, 0))


def mode(depth_m: Tensor, confidence: Tensor, bins: Bins, *, stride: int) -> DepthTarget:
    """The surface that fills most of the patch: the mean depth about the fullest bin, weighted by confidence.

    Neighbouring bins count half, so that a surface on a border between two is not split. What lies before or behind
    pulls on nothing, unlike a mean or a minimum.
    """
    depth, sure = (_patches(layer, stride) for layer in (depth_m, confidence))
    index, filled = _histogram(depth, sure, bins)
    around = functional.pad(filled, (1, 1))
    fullest = (filled + (around[..., :-2] + around[..., 2:]) / 2).argmax(-1)
    mine = (index != NO_BIN) & ((index - fullest.unsqueeze(-1)).abs() <= 1)
    share = torch.where(mine, sure, 0)
    total = share.sum(-1)
    known = total > 0
    mean = torch.where(mine, share * depth, 0).sum(-1) / total.clamp(min=1e-12)
    weight = total / mine.sum(-1).clamp(min=1)
    return DepthTarget(torch.where(known, mean, 0), torch.where(known, weight, 0))


def distribution(depth_m: Tensor, confidence: Tensor, bins: Bins, *, stride: int) -> DepthTarget:
    """All depths of the patch, each as much as it is believed; depth is that of the mode."""
    depth, sure = (_patches(layer, stride) for layer in (depth_m, confidence))
    index, filled = _histogram(depth, sure, bins)
    total = filled.sum(-1, keepdim=True)
    shares = torch.where(total > 0, filled / total.clamp(min=1e-12), 0).movedim(-1, 1)
    weight = total.squeeze(-1) / (index != NO_BIN).sum(-1).clamp(min=1)
    main = mode(depth_m, confidence, bins, stride=stride)
    return DepthTarget(main.depth_m, weight, shares)


def _histogram(depth: Tensor, sure: Tensor, bins: Bins) -> tuple[Tensor, Tensor]:
    """Bin of each pixel (N,h,w,P), and how much confidence each bin holds (N,h,w,D)."""
    index = bins.index(depth)
    filled = sure.new_zeros(*depth.shape[:-1], bins.count + 1)
    filled.scatter_add_(-1, torch.where(index == NO_BIN, bins.count, index), sure)
    return index, filled[..., : bins.count]


def _patches(layer: Tensor, stride: int) -> Tensor:
    """(N,H,W) to (N,h,w,stride * stride)."""
    n, height, width = layer.shape
    cut = layer.reshape(n, height // stride, stride, width // stride, stride)
    return cut.transpose(2, 3).flatten(3)
