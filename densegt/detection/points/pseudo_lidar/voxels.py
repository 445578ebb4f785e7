"""From points to an occupancy tensor: hard, and soft, through which gradients flow back to the points.

The soft one is that of R. Qian et al., End-to-End Pseudo-LiDAR for Image-Based 3D Object Detection, 2020
(arXiv 2004.03080). With P_m the points in voxel m, m also its centre, and N_m its 26 neighbours:

    T(m) = T(m, m) + 1/26 sum over n in N_m of T(m, n)
    T(m, n) = 1/|P_n| sum over p in P_n of exp(-|p - m|^2 / sigma^2),    0 where P_n is empty

Each point thus adds to 27 voxels, as much as its own voxel's share 1/|P_n| of it. Written that way nothing is as large
as the grid but the result and its gradient: time and memory beyond these grow with the points alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from densegt.detection.points.pseudo_lidar.points import PointBatch
from densegt.detection.points.pseudo_lidar.voxel_grid import VoxelGrid

NEIGHBOUR = 1 / 26


def hard(points: PointBatch, grid: VoxelGrid) -> Tensor:
    """(B,Z,Y,X) 1 where there is a point, else 0. Its derivative is zero wherever it has one: none flows back."""
    numbers, inside = grid.numbers(points.xyz_ref.detach())
    occupied = points.xyz_ref.new_zeros(points.samples, *grid.shape)
    occupied[points.sample[inside], *numbers[inside].unbind(-1)] = 1
    return occupied


def soft(points: PointBatch, grid: VoxelGrid, *, sigma_m: float) -> Tensor:
    """(B,Z,Y,X) of the equation above. Points outside the grid are as if they were not there.

    Args:
        sigma_m: the paper's is as long as its voxels' sides, 0.1 m.
    """
    numbers, inside = grid.numbers(points.xyz_ref.detach())
    numbers, sample = numbers[inside], points.sample[inside]
    voxel = _flat(sample, numbers, grid)
    _, group, counts = torch.unique(voxel, return_inverse=True, return_counts=True)
    share = 1 / counts[group].to(points.xyz_ref)
    laid: Tensor = _Soft.apply(  # type: ignore[no-untyped-call]
        points.xyz_ref[inside], numbers, voxel, share, points.samples, grid, sigma_m
    )
    return laid


def _flat(sample: Tensor, numbers: Tensor, grid: VoxelGrid) -> Tensor:
    Z, Y, X = grid.shape
    z, y, x = numbers.unbind(-1)
    return ((sample * Z + z) * Y + y) * X + x


class _Step(NamedTuple):
    """To one of the 27 voxels: where each point's is, how much it gets, which of the three lie along each axis."""

    voxel: Tensor
    amount: Tensor
    along: tuple[int, int, int]


class _Soft(torch.autograd.Function):
    """Forward scatters 27 times, backward gathers 27 times; of the kernels only nine numbers a point are kept."""

    @staticmethod
    def forward(
        ctx: Any,
        xyz: Tensor,
        numbers: Tensor,
        voxel: Tensor,
        share: Tensor,
        samples: int,
        grid: VoxelGrid,
        sigma: float,
    ) -> Tensor:
        ctx.save_for_backward(xyz, numbers, voxel, share)
        ctx.grid, ctx.sigma = grid, sigma
        out = xyz.new_zeros(samples, *grid.shape)
        flat = out.view(-1)
        for step in _steps(_away(xyz, numbers, grid), numbers, voxel, share, grid, sigma, len(flat)):
            flat.index_add_(0, step.voxel, step.amount)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        xyz, numbers, voxel, share = ctx.saved_tensors
        flat = grad.reshape(-1)
        away = _away(xyz, numbers, ctx.grid)
        pull = torch.zeros_like(away[0])  # (M,3) along z, y, x
        for step in _steps(away, numbers, voxel, share, ctx.grid, ctx.sigma, len(flat)):
            felt = flat[step.voxel] * step.amount
            for axis, place in enumerate(step.along):
                pull[:, axis] += felt * away[place][:, axis]
        return pull.flip(-1) * (-2 / ctx.sigma**2), None, None, None, None, None, None


def _away(xyz: Tensor, numbers: Tensor, grid: VoxelGrid) -> Tensor:
    """(3,M,3) m from the centres of the voxel before, the own and the one after, along z, y and x."""
    sides, corner = xyz.new_tensor(grid.sides_m), xyz.new_tensor(grid.corner_m)
    own = xyz.flip(-1) - (corner + (numbers + 0.5) * sides)
    return torch.stack([own + sides, own, own - sides])


def _steps(
    away: Tensor, numbers: Tensor, voxel: Tensor, share: Tensor, grid: VoxelGrid, sigma: float, voxels: int
) -> Iterator[_Step]:
    """The kernel is a product of one along each axis; voxels beyond the grid get nothing."""
    bell = torch.exp(-((away / sigma) ** 2))
    bell[0] *= numbers > 0
    bell[2] *= numbers < numbers.new_tensor(grid.shape) - 1
    _, Y, X = grid.shape
    for a, b, c in product(range(3), repeat=3):
        amount = share * bell[a, :, 0] * bell[b, :, 1] * bell[c, :, 2]
        if (a, b, c) != (1, 1, 1):
            amount = amount * NEIGHBOUR
        # Beyond the grid the amount is 0, so that any voxel will do.
        to = voxel + ((a - 1) * Y + (b - 1)) * X + (c - 1)
        yield _Step(to.clamp(0, voxels - 1), amount, (a, b, c))
