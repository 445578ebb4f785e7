"""Samples that a network moves: along each ray, by parts of a bin; and the ray itself in the image, at edges.

A moved sample takes with it what the depth net says at its new place, interpolated between bins and between cells, and
this is how any loss reaches the offsets: the cell of the bird's-eye view in which a sample lies has no gradient. Before
training nothing is moved, and all is equal to the fixed samples to the bit.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from densegt.detection.depth_head.bins import Bins
from densegt.detection.depth_head.sampling.head import zero_head
from densegt.detection.depth_head.sampling.sampler import Sampler, wide
from densegt.detection.depth_head.sampling.samples import Samples

REACH_BINS = 1.0
REACH_CELLS = 1.0


class OffsetSampler(Sampler):
    """A sample for each bin, up to REACH_BINS away from its centre, on rays up to REACH_CELLS aside.

    Args:
        along: move samples along their rays (depth-guided).
        aside: move rays in the image (pixel-guided): at most in proportion to the contrast of their cell, so that
            rays gather where the image changes and stay where it does not.
    """

    middles: Tensor

    def __init__(self, bins: Bins, *, channels: int, along: bool = True, aside: bool = True) -> None:
        super().__init__(bins)
        self.register_buffer("middles", torch.arange(bins.count, dtype=torch.float32) + 0.5, persistent=False)
        self.along = zero_head(channels + 1, bins.count) if along else None
        self.aside = zero_head(channels + 1, 2) if aside else None

    def forward(self, logits: Tensor, features: Tensor, contrast: Tensor) -> Samples:
        """See `Sampler`."""
        logits, seen = wide(logits), torch.cat([features, contrast.to(features)], 1)
        shift = None if self.aside is None else REACH_CELLS * contrast * _bounded(self.aside, seen)
        if shift is not None:
            logits, features = moved_aside(logits, shift), moved_aside(features, shift)
        if self.along is None:
            return Samples(self.bins, self.middles, logits.log_softmax(1), features, shift)
        step = REACH_BINS * _bounded(self.along, seen)
        position = (self.middles.view(-1, 1, 1) + step).clamp(0, self.bins.count)
        return Samples(self.bins, position, moved_along(logits, step).log_softmax(1), features, shift)


def _bounded(head: nn.Module, seen: Tensor) -> Tensor:
    raw: Tensor = head(seen)
    return wide(raw).tanh()


def moved_along(values: Tensor, step: Tensor) -> Tensor:
    """Each channel's value at its number plus a step, between channels interpolated, beyond the ends that of the end.

    Args:
        values: (N,D,h,w).
        step: (N,D,h,w) in channels.
    """
    count = values.shape[1]
    at = torch.arange(count, device=values.device, dtype=step.dtype).view(-1, 1, 1) + step
    low = at.detach().floor()
    share = at - low
    below, above = ((low + k).long().clamp(0, count - 1) for k in (0, 1))
    return values.gather(1, below) * (1 - share) + values.gather(1, above) * share


def moved_aside(values: Tensor, shift: Tensor) -> Tensor:
    """Values at each cell plus a shift, between the four cells around it interpolated, beyond the border that of it.

    Args:
        values: (N,C,h,w).
        shift: (N,2,h,w) columns, rows.
    """
    height, width = values.shape[-2:]
    columns = torch.arange(width, device=values.device, dtype=shift.dtype) + shift[:, 0]
    rows = torch.arange(height, device=values.device, dtype=shift.dtype).unsqueeze(-1) + shift[:, 1]
    left, top = columns.detach().floor(), rows.detach().floor()
    x, y = (columns - left).unsqueeze(1), (rows - top).unsqueeze(1)
    flat = values.flatten(2)

    def at(down: int, right: int) -> Tensor:
        cell = (top + down).long().clamp(0, height - 1) * width + (left + right).long().clamp(0, width - 1)
        return flat.gather(2, cell.flatten(1).unsqueeze(1).expand(-1, flat.shape[1], -1)).view_as(values)

    return (at(0, 0) * (1 - x) + at(0, 1) * x) * (1 - y) + (at(1, 0) * (1 - x) + at(1, 1) * x) * y
