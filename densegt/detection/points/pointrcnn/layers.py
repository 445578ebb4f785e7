"""PointNet++: what is learned of points' neighbourhoods, and how it comes back to all of them.

After C. Qi et al., PointNet++, 2017. Which points are neighbours is chosen without a gradient; where they are is
gathered, so that the gradient reaches every coordinate.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from densegt.detection.points.pointrcnn.config import LevelConfig
from densegt.detection.points.pointrcnn.neighbours import furthest, gather, in_ball, nearest_three

# Added to squared distances: no point is nearer than 10 cm, so that no weight and no gradient is without bounds.
NEAR_M2 = 0.01


class Norm(nn.BatchNorm1d):
    """Batch norm and a rectifier for (...,C)."""

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        return functional.relu(super().forward(x.flatten(0, -2)).view(x.shape))


def perceptron(*widths: int) -> nn.Sequential:
    """The same small network for each (...,C)."""
    return nn.Sequential(*(part for a, b in pairwise(widths) for part in (nn.Linear(a, b, bias=False), Norm(b))))


class SetAbstraction(nn.Module):
    """The points around each of a few centres, told as one."""

    def __init__(self, channels: int, config: LevelConfig) -> None:
        super().__init__()
        self.config = config
        first = config.widths[0]
        # A layer of what neighbours are is that layer's neighbours: done once for each point, not for each pair.
        self.of_features = nn.Linear(channels, first, bias=False)
        self.of_place = nn.Linear(3, first, bias=False)
        self.rest = nn.Sequential(Norm(first), perceptron(*config.widths))

    def forward(self, xyz: Tensor, features: Tensor, centres: Tensor) -> Tensor:
        """Of points (B,N,3) with features (B,N,C) to features (B,M,C') of the centres (B,M,3)."""
        near = in_ball(xyz, centres, self.config.radius_m, self.config.neighbours)  # (B,M,K)
        away = (gather(xyz, near) - centres.unsqueeze(2)) / self.config.radius_m
        pairs = self.of_place(away) + gather(self.of_features(features), near)
        told: Tensor = self.rest(pairs)
        return told.amax(2)


class FeaturePropagation(nn.Module):
    """From few points to many: the three nearest, each as much as it is near, beside what the many knew before."""

    def __init__(self, coarse: int, fine: int, out: int) -> None:
        super().__init__()
        self.net = perceptron(coarse + fine, out, out)

    def forward(self, xyz: Tensor, features: Tensor, few: Tensor, known: Tensor) -> Tensor:
        """Features (B,N,out) of xyz (B,N,3), which knew (B,N,fine), from few (B,M,3), which know (B,M,coarse)."""
        near = nearest_three(xyz, few)
        squared = ((gather(few, near) - xyz.unsqueeze(2)) ** 2).sum(-1)
        weights = 1 / (squared + NEAR_M2)
        weights = weights / weights.sum(-1, keepdim=True)
        told = (gather(known, near) * weights.unsqueeze(-1)).sum(2)
        came: Tensor = self.net(torch.cat([told, features], -1))
        return came


def covers(xyz: Tensor, counts: Sequence[int]) -> list[Tensor]:
    """Of clouds (B,N,3) so many points (B,count,3) each that cover them best; counts fall.

    The points are chosen one after the other, so the first of them are again those that cover the chosen ones best:
    one choice serves all levels.
    """
    front = gather(xyz, furthest(xyz, max(counts)))
    return [front[:, :count] for count in counts]
