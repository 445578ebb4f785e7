"""A network that gives every point of a cloud features of what is around it."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from densegt.detection.points.pointrcnn.config import PointRcnnConfig
from densegt.detection.points.pointrcnn.layers import FeaturePropagation, SetAbstraction, covers

# A point's own features: its height, for ref stands on the ground, in units of so many metres.
HEIGHT_M = 2.0


class Backbone(nn.Module):
    """PointNet++ with as many levels as the configuration has."""

    def __init__(self, config: PointRcnnConfig) -> None:
        super().__init__()
        known = [1, *(level.widths[-1] for level in config.levels)]
        self.down = nn.ModuleList(
            SetAbstraction(channels, level) for channels, level in zip(known[:-1], config.levels, strict=True)
        )
        coarse = [known[-1], *config.widths[:-1]]
        self.up = nn.ModuleList(
            FeaturePropagation(a, fine, out) for a, fine, out in zip(coarse, known[-2::-1], config.widths, strict=True)
        )
        self._counts = [level.centres for level in config.levels]

    def forward(self, xyz: Tensor) -> Tensor:
        """(B,N,3) m in ref to (B,N,C)."""
        clouds = [xyz, *covers(xyz, self._counts)]
        features = [xyz[..., 2:] / HEIGHT_M]
        for abstract, (cloud, centres) in zip(self.down, pairwise(clouds), strict=True):
            features.append(abstract(cloud, features[-1], centres))
        told = features.pop()
        for propagate, (few, many) in zip(self.up, pairwise(clouds[::-1]), strict=True):
            told = propagate(many, features.pop(), few, told)
        return told


def drawn(xyz: Tensor, count: int, generator: torch.Generator | None) -> tuple[Tensor, int]:
    """(count,) places in (N,3), N > 0, and how many of them are the first of their kind; the rest repeats them.

    Far points are few, so they are likelier to be drawn, as much as they are farther.
    """
    N = len(xyz)
    order = torch.arange(N) if count >= N else _likelier(xyz.detach()[:, :2].norm(dim=-1).cpu(), count, generator)
    places = order[torch.arange(count) % len(order)]
    return places.to(xyz.device), len(order)


def _likelier(weights: Tensor, count: int, generator: torch.Generator | None) -> Tensor:
    """(count,) different places, drawn with these weights (P. Efraimidis, P. Spirakis, 2006), in random order."""
    waiting = torch.empty_like(weights).exponential_(generator=generator) / weights.clamp(min=1e-3)
    return waiting.topk(count, largest=False).indices
