"""The first stage: each point says whether it is of an object, and where that object's box is."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

from densegt.detection.points.pointrcnn.box_bins import BoxBins
from densegt.detection.points.pointrcnn.config import PointRcnnConfig
from densegt.detection.points.pointrcnn.layers import perceptron
from densegt.detection.scoring.rotated_iou import nms

# So that at first every point is said to be of an object with this probability.
RARE = 0.1


class Regions(NamedTuple):
    """Boxes (P,7) of samples (P,), which never fall; the second stage's looks at places."""

    boxes: Tensor
    sample: Tensor


class ProposalHead(nn.Module):
    """Features (B,N,C) to logits of being an object's (B,N) and what tells its box (B,N,numbers)."""

    def __init__(self, channels: int, bins: BoxBins) -> None:
        super().__init__()
        self.foreground = nn.Sequential(perceptron(channels, channels), nn.Linear(channels, 1))
        self.values = nn.Sequential(perceptron(channels, channels), nn.Linear(channels, bins.numbers))
        nn.init.constant_(self.foreground[-1].bias, math.log(RARE / (1 - RARE)))  # type: ignore[arg-type]

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """See the class."""
        return self.foreground(features).squeeze(-1), self.values(features)


def point_bins(config: PointRcnnConfig) -> BoxBins:
    """How a point tells its object's box."""
    return BoxBins(config.search_m, config.bin_m, math.pi, config.headings, config.mean_size_m)


@torch.no_grad()
def propose(
    xyz: Tensor, there: Tensor, foreground: Tensor, values: Tensor, config: PointRcnnConfig, *, most: int
) -> Regions:
    """The boxes of the likeliest points (B,N,3) that are there (B,N), none of which is nearly another.

    Args:
        most: so many of each sample.
    """
    boxes, samples = [], []
    for b in range(len(xyz)):
        likely = torch.where(there[b], foreground[b], -torch.inf).topk(min(config.likely, xyz.shape[1])).indices
        likely = likely[there[b, likely]]
        told = from_places(point_bins(config).boxes(values[b, likely]), xyz[b, likely])
        kept = nms(
            told.float().cpu().numpy(), foreground[b, likely].float().cpu().numpy(),
            iou=config.proposal_iou, most=most,
        )  # fmt: skip
        boxes.append(told[torch.from_numpy(kept).to(told.device)])
        samples.append(torch.full((len(kept),), b, device=xyz.device))
    return Regions(torch.cat(boxes), torch.cat(samples))


def from_places(boxes: Tensor, xyz: Tensor) -> Tensor:
    """Boxes (N,>=7) as seen from points (N,3), headings kept, in the points' frame."""
    return torch.cat([boxes[:, :3] + xyz, boxes[:, 3:7]], -1)


def from_points(boxes: Tensor, xyz: Tensor) -> Tensor:
    """The way back: boxes (N,>=7) as points (N,3) see them."""
    return from_places(boxes, -xyz)
