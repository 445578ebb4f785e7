"""Spatial propagation: each pixel moves towards its neighbours as far as learned affinities let it.

After X. Cheng, P. Wang, R. Yang, Learning Depth with Convolutional Spatial Propagation Network, 2019, and J. Park et
al., Non-Local Spatial Propagation Network for Depth Completion, 2020: affinities of either sign, whose absolute sum is
at most 1, so that repeating the step cannot blow up.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

NEIGHBOURS = ((-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0), (1, 1))


def normalised(raw: Tensor) -> Tensor:
    """Weights (B,C,H,W) in (-1, 1), their absolute sum over C at most 1; zero stays zero."""
    bounded = torch.tanh(raw)
    return bounded / bounded.abs().sum(1, keepdim=True).clamp(min=1)


def propagate(value: Tensor, affinity: Tensor, anchor: Tensor, trust: Tensor, *, dilation: int, steps: int) -> Tensor:
    """Repeat: move by the weighted differences to the eight neighbours, then towards the anchor by its trust.

    Args:
        value, anchor, trust: (B,1,H,W), trust in [0, 1].
        affinity: (B,8,H,W), in the order of NEIGHBOURS.
        dilation: neighbours are this many pixels away; beyond the border the border's own value stands.
    """
    for _ in range(steps):
        moved = value + (affinity * (_shifted(value, dilation) - value)).sum(1, keepdim=True)
        value = moved + trust * (anchor - moved)
    return value


def _shifted(value: Tensor, dilation: int) -> Tensor:
    """(B,1,H,W) to (B,8,H,W): what the eight neighbours hold."""
    height, width = value.shape[-2:]
    wide = functional.pad(value, (dilation,) * 4, mode="replicate")
    rows = [wide[..., dilation * (1 + v) :, dilation * (1 + u) :][..., :height, :width] for v, u in NEIGHBOURS]
    return torch.cat(rows, 1)
