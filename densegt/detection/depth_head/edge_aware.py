"""Where depth jumps, told to the depth net and weighed in its loss.

After H. Hu et al., EA-LSS: Edge-aware Lift-splat-shot Framework, 2023: sparse depth is spread by a window's maximum,
and how it differs from its four neighbours is an input beside it (edge-aware depth fusion); a head enlarges the depth
net's features eightfold, and its depth is asked at that resolution, once evenly, once the more the larger the jump
(fine-grained depth).
"""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

WINDOW_PX = 7
DIRECTIONS = 4
ENLARGED = 8


def window_maximum(depth_m: Tensor) -> Tensor:
    """(N,H,W) the farthest depth within the window about each pixel, 0 where it holds none."""
    return functional.max_pool2d(depth_m.unsqueeze(1), WINDOW_PX, stride=1, padding=WINDOW_PX // 2).squeeze(1)


def directional_gradients(depth_m: Tensor) -> Tensor:
    """How far the window's maximum jumps to the pixel above, below, left and right.

    Args:
        depth_m: (N,H,W), 0 = unknown.

    Returns:
        (N,4,H,W) m, not negative; 0 where this pixel or that neighbour has no depth or there is no neighbour.
    """
    here = window_maximum(depth_m)
    wide = functional.pad(here, (1, 1, 1, 1))
    beside = torch.stack([wide[:, :-2, 1:-1], wide[:, 2:, 1:-1], wide[:, 1:-1, :-2], wide[:, 1:-1, 2:]], 1)
    known = (beside > 0) & (here > 0).unsqueeze(1)
    return torch.where(known, (beside - here.unsqueeze(1)).abs(), 0)


def edge_weight(depth_m: Tensor, *, stride: int) -> Tensor:
    """(N,H/stride,W/stride) in [0, 1]: the largest jump of each patch, as a share of the batch's largest."""
    jumps = functional.max_pool2d(directional_gradients(depth_m).amax(1, keepdim=True), stride).squeeze(1)
    return jumps / jumps.max().clamp(min=1e-6)


class EdgeInput(nn.Module):
    """Sparse depth and its jumps, brought to the size of the feature map.

    Args:
        stride: px to a cell, a power of two.
        max_m: what depth is scaled by.
    """

    def __init__(self, channels: int, *, stride: int, max_m: float) -> None:
        super().__init__()
        self.max_m = max_m
        halvings = round(math.log2(stride))
        if 2**halvings != stride:
            raise ValueError(f"a stride of {stride}; a power of two is wanted")
        widths = [1 + DIRECTIONS, *(max(channels >> k, 8) for k in reversed(range(halvings)))]
        steps = [step for a, b in pairwise(widths) for step in _halved(a, b)]
        self.layers = nn.Sequential(*steps, nn.Conv2d(widths[-1], channels, 1))

    def forward(self, depth_m: Tensor) -> Tensor:
        """(N,H,W) sparse depth, 0 = unknown, to (N,channels,h,w)."""
        known = torch.cat([depth_m.unsqueeze(1), directional_gradients(depth_m)], 1) / self.max_m
        out: Tensor = self.layers(known)
        return out


class FineDepth(nn.Module):
    """Features (N,C,h,w) to logits over the bins (N,D,8h,8w): three deconvolutions, each to twice the size."""

    def __init__(self, channels: int, bins: int, *, width: int) -> None:
        super().__init__()
        steps = [step for a in (channels, width, width) for step in _doubled(a, width)]
        self.layers = nn.Sequential(*steps, nn.Conv2d(width, bins, 1))

    def forward(self, features: Tensor) -> Tensor:
        """See the class."""
        logits: Tensor = self.layers(features)
        return logits


def _halved(inputs: int, outputs: int) -> list[nn.Module]:
    convolution = nn.Conv2d(inputs, outputs, 3, stride=2, padding=1, bias=False)
    return [convolution, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)]


def _doubled(inputs: int, outputs: int) -> list[nn.Module]:
    convolution = nn.ConvTranspose2d(inputs, outputs, 4, stride=2, padding=1, bias=False)
    return [convolution, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)]
