"""What every way of placing samples is."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from densegt.detection.depth_head.bins import Bins
from densegt.detection.depth_head.sampling.samples import Samples


class Sampler(nn.Module, ABC):
    """Turns a distribution over bins into samples.

    Attributes:
        bins: over which the depth net gives its logits.
    """

    def __init__(self, bins: Bins) -> None:
        super().__init__()
        self.bins = bins

    @abstractmethod
    def forward(self, logits: Tensor, features: Tensor, contrast: Tensor) -> Samples:
        """Place samples.

        Args:
            logits: (N,count,h,w) over the bins.
            features: (N,C,h,w) to be laid down.
            contrast: (N,1,h,w) the largest gradient of the image in each cell, of `sampling.contrast`.
        """


def wide(values: Tensor) -> Tensor:
    """At least float32: places and probabilities in half precision would be steps of a quarter of a metre."""
    return values.to(torch.promote_types(values.dtype, torch.float32))
