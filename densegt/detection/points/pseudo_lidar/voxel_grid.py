"""Voxels: the cells of the bird's-eye view, cut into layers."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from densegt.detection.bev.grid import NO_CELL, BevGrid, cell_number


@dataclass(frozen=True)
class VoxelGrid:
    """Layers of equal height between the grid's z_min_m and z_max_m; voxels are closed below and open above.

    Raises:
        ValueError: there is no layer.
    """

    bev: BevGrid
    layers: int

    def __post_init__(self) -> None:
        if self.layers < 1:
            raise ValueError(f"{self.layers} layers; at least one is wanted")

    @property
    def shape(self) -> tuple[int, int, int]:
        """(Z, Y, X): how many voxels."""
        return (self.layers, *self.bev.shape)

    @property
    def sides_m(self) -> tuple[float, float, float]:
        """Length of a voxel along z, y and x."""
        return (self.bev.z_max_m - self.bev.z_min_m) / self.layers, self.bev.cell_m, self.bev.cell_m

    @property
    def corner_m(self) -> tuple[float, float, float]:
        """z, y and x of the lowest corner."""
        return self.bev.z_min_m, self.bev.y_min_m, self.bev.x_min_m

    def numbers(self, xyz_ref: Tensor) -> tuple[Tensor, Tensor]:
        """Numbers (M,3) int64 of the voxels that points (M,3) lie in, along z, y and x; which of them (M,) lie in any.

        Of a point outside the numbers say nothing; NaN is outside.
        """
        x, y, z = xyz_ref.unbind(-1)
        cell = self.bev.cell(x, y, z)
        layer = cell_number(z, self.bev.z_min_m, self.sides_m[0]).nan_to_num().clamp(0, self.layers - 1).long()
        columns = self.bev.shape[1]
        return torch.stack([layer, cell // columns, cell % columns], -1), cell != NO_CELL
