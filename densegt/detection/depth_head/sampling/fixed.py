"""One sample in the middle of each bin: the Lift-Splat baseline."""

from __future__ import annotations

import torch
from torch import Tensor

from densegt.detection.depth_head.bins import Bins
from densegt.detection.depth_head.sampling.sampler import Sampler, wide
from densegt.detection.depth_head.sampling.samples import Samples


class FixedSampler(Sampler):
    """The distribution as it is, at the bins' centres."""

    middles: Tensor

    def __init__(self, bins: Bins) -> None:
        super().__init__(bins)
        self.register_buffer("middles", torch.arange(bins.count, dtype=torch.float32) + 0.5, persistent=False)

    def forward(self, logits: Tensor, features: Tensor, contrast: Tensor) -> Samples:
        """See `Sampler`."""
        return Samples(self.bins, self.middles, wide(logits).log_softmax(1), features)
