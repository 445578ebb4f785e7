"""Which samples go to which cell of the bird's-eye view."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from densegt.detection.bev.grid import NO_CELL, BevGrid
from densegt.kernels.group import group


@dataclass(frozen=True)
class Ranks:
    """Samples in order of their cells; all int32.

    Attributes:
        cell: (P,D) cell of each sample of each pixel, counted through the batch; B*Y*X where it lies in none.
        sample: (M,) those that lie in a cell, as positions in the flattened (P,D), sorted by cell.
        pixel: (M,) their pixels.
        first: (B*Y*X,) where each cell's samples begin.
        shape: (B, Y, X).
    """

    cell: Tensor
    sample: Tensor
    pixel: Tensor
    first: Tensor
    shape: tuple[int, int, int]


def rank(cell: Tensor, grid: BevGrid) -> Ranks:
    """Sort samples by cell.

    Args:
        cell: (B,V,D,h,w) as from `sample_cells`.
    """
    batch, depths = cell.shape[0], cell.shape[2]
    nowhere = batch * grid.cells
    start = torch.arange(batch, device=cell.device).reshape(-1, 1, 1, 1, 1) * grid.cells
    by_pixel = torch.where(cell == NO_CELL, nowhere, cell + start).int().movedim(2, -1).reshape(-1, depths)
    first, order = _grouped(by_pixel.flatten(), nowhere + 1)
    sample = order[: int(first[nowhere])]
    return Ranks(by_pixel, sample, sample // depths, first[:nowhere], (batch, *grid.shape))


def _grouped(key: Tensor, keys: int) -> tuple[Tensor, Tensor]:
    """Where each key begins (keys + 1,) and the order (N,) that brings equal ones together, stable; int32."""
    if key.device.type != "cpu":
        return _sorted(key, keys)
    # A tenth of the time of torch.sort, and with samples that move this is done anew at every step.
    first, order = torch.empty(keys + 1, dtype=torch.int32), torch.empty_like(key)
    group(key.numpy(), first.numpy(), order.numpy())
    return first, order


def _sorted(key: Tensor, keys: int) -> tuple[Tensor, Tensor]:
    """The same on any device."""
    ordered, order = torch.sort(key, stable=True)
    first = torch.searchsorted(ordered, torch.arange(keys + 1, device=key.device, dtype=key.dtype), out_int32=True)
    return first, order.int()
