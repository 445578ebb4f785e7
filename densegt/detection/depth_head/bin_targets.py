"""What a distribution over bins should have been, given the depth; classes stand in dimension 1.

The D-way targets are all zero where there is no bin; the others have one more class, "nothing", which is 1 there.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from densegt.detection.depth_head.bins import NO_BIN, Bins


def class_index(bins: Bins, depth_m: Tensor) -> Tensor:
    """Class of each depth, int64 of the same shape, with `count` for "nothing"."""
    index = bins.index(depth_m)
    return torch.where(index == NO_BIN, bins.count, index)


def hard_or_nothing(bins: Bins, depth_m: Tensor) -> Tensor:
    """(N,...) depth to (N,count+1,...) float32, one-hot."""
    return functional.one_hot(class_index(bins, depth_m), bins.count + 1).movedim(-1, 1).float()


def hard(bins: Bins, depth_m: Tensor) -> Tensor:
    """(N,...) depth to (N,count,...) float32, one-hot, zero where there is no bin."""
    return hard_or_nothing(bins, depth_m)[:, : bins.count]


def soft(bins: Bins, depth_m: Tensor) -> Tensor:
    """(N,...) depth to (N,count,...), shared by the two bins whose centres it lies between, zero where there is no bin.

    Between the outermost centres the expectation of this target is the depth; beyond them it is the centre.
    """
    at = (bins.position(depth_m.double()) - 0.5).clamp(0, bins.count - 1).unsqueeze(1)
    number = torch.arange(bins.count, device=depth_m.device, dtype=torch.float64)
    away = (at - number.reshape(1, -1, *[1] * (depth_m.dim() - 1))).abs()
    return torch.where((bins.index(depth_m) != NO_BIN).unsqueeze(1), (1 - away).clamp(min=0), 0).float()


def soft_or_nothing(bins: Bins, depth_m: Tensor) -> Tensor:
    """(N,...) depth to (N,count+1,...): as `soft`, with the class "nothing"."""
    nothing = (bins.index(depth_m) == NO_BIN).unsqueeze(1).float()
    return torch.cat([soft(bins, depth_m), nothing], 1)
