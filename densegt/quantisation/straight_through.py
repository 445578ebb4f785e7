"""Rounding with a gradient, of the values and of the step (S. Esser et al., Learned Step Size Quantization, 2020)."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable


def straight_through(x: Tensor, step: Tensor, least: int, most: int) -> Tensor:
    """The multiples of a step, from the least to the most, nearest to x.

    Backward the values' gradient passes within the range; the step's is what rounding took, and the limit beyond the
    range. Written out it takes a third of the time that it takes operation by operation.
    """
    rounded: Tensor = _StraightThrough.apply(x, step, least, most)  # type: ignore[no-untyped-call]
    return rounded


class _StraightThrough(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, step: Tensor, least: int, most: int) -> Tensor:
        ratio = x / step
        number = ratio.round().clamp_(least, most)
        ctx.save_for_backward(ratio, number)
        ctx.range, ctx.shape = (least, most), step.shape
        return number * step

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, None, None]:
        ratio, number = ctx.saved_tensors
        least, most = ctx.range
        passed = gradient * ((ratio >= least) & (ratio <= most))
        of_step = (gradient * number).sum() - (passed * ratio).sum()
        return passed, of_step.reshape(ctx.shape), None, None
