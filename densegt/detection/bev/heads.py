"""What the ground plane is asked: where vehicles stand; each object's centre, size, heading, speed, attribute."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from densegt.detection.bev.bev_target import REGRESSED
from densegt.detection.bev.grid import BevGrid
from densegt.detection.bev.residual import convolution

# So that at first everything is said to be empty with this probability, as in CenterNet.
RARE = 0.1


class Centres(NamedTuple):
    """What `CentreHead` says: logits of heat (B,classes,Y,X), values (B,10,Y,X), logits of attributes (B,A,Y,X)."""

    heat: Tensor
    values: Tensor
    attributes: Tensor


class DecodedBoxes(NamedTuple):
    """The best K boxes of each of B samples, best first: (B,K,9) as in `Batch`; class, score and attribute (B,K)."""

    boxes: Tensor
    labels: Tensor
    scores: Tensor
    attributes: Tensor


class SegmentationHead(nn.Module):
    """Logits (B,Y,X) of a cell being a vehicle's."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.net = nn.Sequential(convolution(channels, channels), nn.Conv2d(channels, 1, 1))

    def forward(self, bev: Tensor) -> Tensor:
        """See the class."""
        logits: Tensor = self.net(bev)
        return logits.squeeze(1)


class CentreHead(nn.Module):
    """After T. Yin et al., Center-based 3D Object Detection, 2021, with one group of classes instead of six."""

    def __init__(self, channels: int, *, classes: int, attributes: int) -> None:
        super().__init__()
        self.heat, self.values, self.attributes = (
            nn.Sequential(convolution(channels, channels), nn.Conv2d(channels, out, 1))
            for out in (classes, REGRESSED, attributes)
        )
        rare = self.heat[-1].bias
        assert isinstance(rare, Tensor)
        nn.init.constant_(rare, torch.logit(torch.tensor(RARE, device="cpu")).item())

    def forward(self, bev: Tensor) -> Centres:
        """(B,channels,Y,X) to what is said of every cell."""
        return Centres(self.heat(bev), self.values(bev), self.attributes(bev))


def at_cells(maps: Tensor, cell: Tensor) -> Tensor:
    """Values (B,M,C) of maps (B,C,Y,X) at cells (B,M), counted row times X plus column."""
    flat = maps.flatten(2).transpose(1, 2)
    return flat.gather(1, cell.unsqueeze(-1).expand(-1, -1, flat.shape[-1]))


def decode(centres: Centres, grid: BevGrid, *, most: int) -> DecodedBoxes:
    """Boxes at the heat's peaks: cells that no neighbour of the same class outdoes."""
    return decode_cells(centres, grid, peaks(centres.heat), most=most)


def peaks(heat: Tensor) -> Tensor:
    """Probabilities (B,classes,Y,X) of logits of that shape, 0 in all cells that a neighbour outdoes."""
    probability = heat.float().sigmoid()
    peak = probability == functional.max_pool2d(probability, 3, 1, 1)
    return torch.where(peak, probability, 0)


def decode_cells(centres: Centres, grid: BevGrid, scores: Tensor, *, most: int) -> DecodedBoxes:
    """The boxes of the cells with the best scores (B,classes,Y,X)."""
    scores = scores.flatten(1)
    best = scores.topk(min(most, scores.shape[1]), 1)
    labels, cell = best.indices // grid.cells, best.indices % grid.cells
    values = at_cells(centres.values.float(), cell)
    columns = grid.shape[1]
    x = grid.x_min_m + (cell % columns + 0.5 + values[..., 0]) * grid.cell_m
    y = grid.y_min_m + (cell // columns + 0.5 + values[..., 1]) * grid.cell_m
    yaw = torch.atan2(values[..., 6], values[..., 7])
    # A box beyond these sizes in m is no answer of a network in its right mind.
    size = values[..., 3:6].clamp(-3, 4).exp()
    boxes = torch.cat([torch.stack([x, y, values[..., 2]], -1), size, yaw.unsqueeze(-1), values[..., 8:10]], -1)
    return DecodedBoxes(boxes, labels, best.values, at_cells(centres.attributes, cell).argmax(-1))
