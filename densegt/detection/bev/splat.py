"""Features times depth probabilities, summed by cell of the bird's-eye view, without their product ever in memory.

The computation of bev_pool_v2 (J. Huang, G. Huang, BEVPoolv2, 2022) in stock PyTorch: each cell is a bag of (pixel,
weight) pairs. Backward, each pixel is a bag of (cell, weight) pairs, so nothing need be sorted again. No sum depends on
the order in which threads come, so results repeat to the bit.
"""

from __future__ import annotations

import warnings
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional

from densegt.detection.bev.ranks import Ranks

# One row a pixel is all that is asked of it here.
warnings.filterwarnings("ignore", "Sparse CSR tensor support is in beta state", UserWarning)


def splat(weights: Tensor, features: Tensor, ranks: Ranks) -> Tensor:
    """Sum of weight times feature over the samples of each cell.

    Args:
        weights: (B,V,D,h,w) probability of each sample.
        features: (B,V,C,h,w).

    Returns:
        (B,C,Y,X), channels last in memory, float32, or float64 where that comes in; zero in cells without samples.
    """
    wide = torch.promote_types(torch.promote_types(weights.dtype, features.dtype), torch.float32)
    bev: Tensor = _Splat.apply(weights.to(wide), features.to(wide), ranks)  # type: ignore[no-untyped-call]
    return bev


class _Splat(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, weights: Tensor, features: Tensor, ranks: Ranks) -> Tensor:
        table = _by_pixel(features)
        by_pixel = _by_pixel(weights)
        ctx.save_for_backward(by_pixel, table)
        ctx.ranks, ctx.images = ranks, (*weights.shape[:2], *weights.shape[3:])
        in_order = by_pixel.flatten().index_select(0, ranks.sample)
        bev = functional.embedding_bag(ranks.pixel, table, ranks.first, mode="sum", per_sample_weights=in_order)
        return bev.view(*ranks.shape, -1).permute(0, 3, 1, 2)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        by_pixel, table = ctx.saved_tensors
        cell = ctx.ranks.cell
        cells = _by_cell(gradient)
        of_weights = of_features = None
        if ctx.needs_input_grad[0]:
            of_weights = _by_image(_dot(table, cells, cell), ctx.images)
        if ctx.needs_input_grad[1]:
            of_features = functional.embedding_bag(cell, cells, mode="sum", per_sample_weights=by_pixel)
            of_features = _by_image(of_features, ctx.images)
        return of_weights, of_features, None


def _by_pixel(images: Tensor) -> Tensor:
    """(B,V,C,h,w) to (P,C)."""
    return images.movedim(2, -1).reshape(-1, images.shape[2])


def _by_image(pixels: Tensor, images: tuple[int, int, int, int]) -> Tensor:
    """(P,C) to (B,V,C,h,w)."""
    return pixels.view(*images, -1).movedim(-1, 2)


def _by_cell(bev: Tensor) -> Tensor:
    """(B,C,Y,X) to (B*Y*X+1,C), with a last row of zeros for samples that lie in no cell."""
    batch, channels, rows, columns = bev.shape
    cells = bev.new_empty(batch * rows * columns + 1, channels)
    # Matrix by matrix: torch transposes those in blocks, three times as fast as the whole.
    for into, one in zip(cells[:-1].view(batch, -1, channels), bev, strict=True):
        into.copy_(one.flatten(1).t())
    cells[-1] = 0
    return cells


def _dot(table: Tensor, cells: Tensor, cell: Tensor) -> Tensor:
    """(P,D) scalar product of each pixel's row of table (P,C) with the rows of cells (N,C) that its samples name."""
    # Where a matrix is full it takes no more elements, though here one may be wanted several times.
    sampling = cell.device.type == "cpu" and cell.shape[1] <= len(cells)
    return _dot_by_sampling(table, cells, cell) if sampling else _dot_by_bags(table, cells, cell)


def _dot_by_sampling(table: Tensor, cells: Tensor, cell: Tensor) -> Tensor:
    """As a product of matrices of which only some elements are wanted: on a CPU three times as fast as by bags."""
    pixels, depths = cell.shape
    rows = torch.arange(0, pixels * depths + 1, depths, dtype=cell.dtype, device=cell.device)
    wanted = torch.sparse_csr_tensor(
        rows, cell.flatten(), table.new_zeros(cell.numel()), (pixels, len(cells)), check_invariants=False
    )
    products: Tensor = torch.sparse.sampled_addmm(wanted, table, cells.t(), beta=0.0).values()
    return products.view(pixels, depths)


def _dot_by_bags(table: Tensor, cells: Tensor, cell: Tensor) -> Tensor:
    """As the gradient of a sum by bags with regard to its weights."""
    with torch.enable_grad():
        weights = torch.zeros(cell.shape, dtype=table.dtype, device=table.device, requires_grad=True)
        bags = functional.embedding_bag(cell, cells, mode="sum", per_sample_weights=weights)
    return torch.autograd.grad(bags, weights, table)[0]
