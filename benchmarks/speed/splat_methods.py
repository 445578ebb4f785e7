"""Ways to lay lifted features down, each with what can be made beforehand and the step itself."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from densegt.detection.bev.grid import NO_CELL, BevGrid
from densegt.detection.bev.ranks import Ranks, rank
from densegt.detection.bev.splat import splat


class Densegt:
    """No frustum, its own backward."""

    prepare = staticmethod(rank)
    splat = staticmethod(splat)


class EmbeddingBag:
    """No frustum, torch's own backward of embedding_bag: bev_pool_v2 as it stands in stock PyTorch."""

    prepare = staticmethod(rank)

    @staticmethod
    def splat(weights: Tensor, features: Tensor, ranks: Ranks) -> Tensor:
        channels, depths = features.shape[2], weights.shape[2]
        table = features.movedim(2, -1).reshape(-1, channels)
        by_pixel = weights.movedim(2, -1).reshape(-1, depths)
        in_order = by_pixel.flatten().index_select(0, ranks.sample)
        bev = functional.embedding_bag(ranks.pixel, table, ranks.first, mode="sum", per_sample_weights=in_order)
        return bev.view(*ranks.shape, channels).permute(0, 3, 1, 2)


class Cells(NamedTuple):
    """Samples that lie in a cell, and their cells."""

    inside: Tensor
    cell: Tensor
    shape: tuple[int, int, int]


def lifted(weights: Tensor, features: Tensor, inside: Tensor) -> Tensor:
    """(M,C) the frustum's samples that lie in a cell: the product that densegt never builds."""
    product = weights.unsqueeze(-1) * features.movedim(2, -1).unsqueeze(2)  # (B,V,D,h,w,C)
    return product.flatten(0, -2)[inside]


class IndexAdd:
    """The frustum, each sample added where it belongs."""

    @staticmethod
    def prepare(cell: Tensor, grid: BevGrid) -> Cells:
        start = torch.arange(len(cell)).view(-1, 1, 1, 1, 1) * grid.cells
        inside = (cell != NO_CELL).flatten().nonzero().squeeze(1)
        return Cells(inside, (cell + start).flatten()[inside], (len(cell), *grid.shape))

    @staticmethod
    def splat(weights: Tensor, features: Tensor, cells: Cells) -> Tensor:
        batch, rows, columns = cells.shape
        bev = weights.new_zeros(batch * rows * columns, features.shape[2])
        bev = bev.index_add(0, cells.cell, lifted(weights, features, cells.inside))
        return bev.view(*cells.shape, -1).permute(0, 3, 1, 2)


class SortCumsum:
    """The frustum sorted by cell, summed up, and differences taken where the cell changes: as Lift-Splat-Shoot does."""

    @staticmethod
    def prepare(cell: Tensor, grid: BevGrid) -> Cells:
        found = IndexAdd.prepare(cell, grid)
        order = found.cell.argsort()
        return Cells(found.inside[order], found.cell[order], found.shape)

    @staticmethod
    def splat(weights: Tensor, features: Tensor, cells: Cells) -> Tensor:
        batch, rows, columns = cells.shape
        sums, where = _SumOfRuns.apply(lifted(weights, features, cells.inside), cells.cell)
        bev = weights.new_zeros(batch * rows * columns, features.shape[2])
        bev[where] = sums
        return bev.view(*cells.shape, -1).permute(0, 3, 1, 2)


class _SumOfRuns(torch.autograd.Function):
    """The trick of the paper's section 4.1: the gradient is not that of cumsum, but a look-up."""

    @staticmethod
    def forward(ctx: Any, samples: Tensor, cell: Tensor) -> tuple[Tensor, Tensor]:
        summed = samples.cumsum(0)
        last = torch.ones(len(cell), dtype=torch.bool)
        last[:-1] = cell[1:] != cell[:-1]
        kept = summed[last]
        sums = torch.cat([kept[:1], kept[1:] - kept[:-1]])
        ctx.save_for_backward(last)
        ctx.mark_non_differentiable(cell[last])
        return sums, cell[last]

    @staticmethod
    def backward(ctx: Any, gradient: Tensor, _: Tensor) -> tuple[Tensor, None]:
        (last,) = ctx.saved_tensors
        run = last.cumsum(0) - last.long()
        return gradient[run], None


METHODS = {"densegt": Densegt, "embedding_bag": EmbeddingBag, "lift + index_add": IndexAdd, "sort + cumsum": SortCumsum}
