"""From points to pillars: a small network on each point, the largest of each number in a pillar, laid out as a map."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from densegt.detection.bev.grid import NO_CELL, BevGrid
from densegt.detection.points.pseudo_lidar.points import PointBatch

# Of a point: x and y from its pillar's middle in pillars, z, x, y and z from the mean of the pillar's points in m, age.
POINT_NUMBERS = 7


class PillarNet(nn.Module):
    """After A. Lang et al., PointPillars, 2019; pillars are all there, empty ones are zero, and none has a most.

    What is told of a point is small wherever it lies: places within the pillar, not on the ground plane, so that one
    scale at eight bits holds them near and far.
    """

    def __init__(self, grid: BevGrid, features: int) -> None:
        super().__init__()
        self.grid = grid
        self.linear = nn.Linear(POINT_NUMBERS, features, bias=False)
        self.norm = nn.BatchNorm1d(features)

    def forward(self, points: PointBatch) -> Tensor:
        """(B,features,Y,X)."""
        rows, columns = self.grid.shape
        xyz = points.xyz_ref
        cell = self.grid.cell(*xyz.detach().unbind(-1))
        inside = (cell != NO_CELL).nonzero().squeeze(1)
        age_s = xyz.new_zeros(len(xyz)) if points.age_s is None else points.age_s
        pillar = points.sample[inside] * self.grid.cells + cell[inside]
        numbers = point_numbers(xyz[inside], age_s[inside], pillar, cell[inside], self.grid)
        width = self.linear.out_features
        laid = xyz.new_zeros(points.samples * self.grid.cells, width)
        if len(inside):
            said = self._said(numbers)
            # Nothing is below zero after the rectifier, so that empty pillars are zero.
            laid = laid.scatter_reduce(0, pillar.unsqueeze(1).expand(-1, width), said, "amax")
        return laid.view(points.samples, rows, columns, width).permute(0, 3, 1, 2).contiguous()

    def _said(self, numbers: Tensor) -> Tensor:
        through = self.linear(numbers)
        # The mean and spread of a single point are no statistics.
        normed = self.norm(through) if len(numbers) > 1 or not self.training else through
        return torch.relu(normed)


def point_numbers(xyz: Tensor, age_s: Tensor, pillar: Tensor, cell: Tensor, grid: BevGrid) -> Tensor:
    """(M,7) of points (M,3) in the grid, with the pillar (M,) of each, counted through all samples, and its cell."""
    _, group = torch.unique(pillar, return_inverse=True)
    pillars = int(group.max()) + 1 if len(group) else 0
    count = xyz.new_zeros(pillars).index_add_(0, group, torch.ones_like(age_s))
    mean = xyz.new_zeros(pillars, 3).index_add_(0, group, xyz) / count.unsqueeze(1)
    columns = grid.shape[1]
    x = (xyz[:, 0] - grid.x_min_m) / grid.cell_m - cell % columns - 0.5
    y = (xyz[:, 1] - grid.y_min_m) / grid.cell_m - cell // columns - 0.5
    return torch.cat([torch.stack([x, y, xyz[:, 2]], 1), xyz - mean[group], age_s.unsqueeze(1)], 1)
