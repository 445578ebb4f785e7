"""The second stage: the points in and around each proposed box, seen from it, say what it is and where exactly."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from densegt.detection.points.pointrcnn.box_bins import BoxBins
from densegt.detection.points.pointrcnn.config import PointRcnnConfig
from densegt.detection.points.pointrcnn.frames import points_in_frame
from densegt.detection.points.pointrcnn.layers import SetAbstraction, covers, perceptron
from densegt.detection.points.pointrcnn.neighbours import in_boxes
from densegt.detection.points.pointrcnn.proposals import RARE, Regions

# Ranges are told in units of so many metres.
RANGE_M = 70.0


class Refine(nn.Module):
    """Region pooling, canonical frames and PointNet++ over each region (S. Shi et al., PointRCNN, 2019, 3.4)."""

    def __init__(self, config: PointRcnnConfig) -> None:
        super().__init__()
        self.config = config
        channels = config.widths[-1]
        # Place in the region's frame, being an object's, range.
        self.local = perceptron(5, *config.region_widths)
        self.merge = perceptron(config.region_widths[-1] + channels, channels)
        known = [channels, *(level.widths[-1] for level in config.region_levels)]
        self.levels = nn.ModuleList(
            SetAbstraction(before, level) for before, level in zip(known, config.region_levels, strict=False)
        )
        whole = config.region_features
        self.whole = perceptron(3 + known[-1], whole)
        self.classes = nn.Sequential(nn.Linear(whole, whole), nn.ReLU(), nn.Linear(whole, len(config.classes)))
        self.values = nn.Sequential(nn.Linear(whole, whole), nn.ReLU(), nn.Linear(whole, region_bins(config).numbers))
        nn.init.constant_(self.classes[-1].bias, math.log(RARE / (1 - RARE)))  # type: ignore[arg-type]

    def forward(self, xyz: Tensor, foreground: Tensor, features: Tensor, regions: Regions) -> tuple[Tensor, Tensor]:
        """Of clouds (B,N,3), logits (B,N) and features (B,N,C) to logits (P,classes) and values (P,numbers)."""
        if not len(regions.boxes):
            of_none = features.new_zeros(0)
            return of_none.view(0, len(self.config.classes)), of_none.view(0, region_bins(self.config).numbers)
        margin = regions.boxes.new_tensor([0, 0, 0, 1, 1, 1, 0]) * 2 * self.config.margin_m
        index, counts = in_boxes(xyz, regions.boxes + margin, regions.sample, self.config.region_points)
        held = (counts > 0)[:, None, None]
        flat = (index + regions.sample[:, None] * xyz.shape[1]).flatten()
        points, odds, known = (
            x.flatten(0, 1).index_select(0, flat).view(*index.shape, -1)
            for x in (xyz, foreground.unsqueeze(-1), features)
        )  # (P,K,3), (P,K,1), (P,K,C)
        ranges = points.norm(dim=-1, keepdim=True) / RANGE_M - 0.5
        # A region without a point is all zeros, at its own middle.
        place = points_in_frame(points, regions.boxes) * held
        local = self.local(torch.cat([place, odds.sigmoid() * held, ranges * held], -1))
        told = self.merge(torch.cat([local, known * held], -1))
        clouds = [place, *covers(place, [level.centres for level in self.config.region_levels])]
        for level, cloud, centres in zip(self.levels, clouds, clouds[1:], strict=False):
            told = level(cloud, told, centres)
        whole = self.whole(torch.cat([clouds[-1], told], -1)).amax(1)
        return self.classes(whole), self.values(whole)


def region_bins(config: PointRcnnConfig) -> BoxBins:
    """How a region tells its object's box."""
    turn = math.radians(config.refine_turn_deg)
    return BoxBins(config.refine_search_m, config.refine_bin_m, turn, config.refine_headings, config.mean_size_m)
