"""Samples where the surface is likely: drawn from the distribution itself, so that the frustum is no longer regular.

After B. Mildenhall et al., NeRF, 2020, section 5.2, with the constants of mip-NeRF and its followers: edges at even
steps of the cumulative distribution, without a gradient. Between two edges lies one sample. Its weight is the
distribution's own mass there, which has a gradient, corrected by a small network that sees where the samples lie: as
NeRF's fine network does, it can tell apart what falls into one bin.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from densegt.detection.depth_head.bins import Bins
from densegt.detection.depth_head.sampling.head import zero_head
from densegt.detection.depth_head.sampling.sampler import Sampler, wide
from densegt.detection.depth_head.sampling.samples import Samples

PADDING = 0.01
LEAST_SUM = 1e-5
LEAST_MASS = 1e-6


class PdfSampler(Sampler):
    """As many samples on each ray as asked for, from any number of bins.

    In training the edges are jittered within their steps, all those of a pixel alike.
    """

    def __init__(self, bins: Bins, *, channels: int, samples: int) -> None:
        super().__init__(bins)
        if samples < 1:
            raise ValueError(f"{samples} samples on a ray; at least one is wanted")
        self.samples = samples
        self.refine: nn.Module = zero_head(channels + samples, samples)

    def forward(self, logits: Tensor, features: Tensor, contrast: Tensor) -> Samples:
        """See `Sampler`."""
        probability = wide(logits).softmax(1).movedim(1, -1)
        edges = draw_edges(probability.detach(), self._quantiles(logits))
        mass = cumulative_at(probability, edges).diff().clamp(min=LEAST_MASS)
        position = ((edges[..., 1:] + edges[..., :-1]) / 2).movedim(-1, 1)
        where = 2 * position / self.bins.count - 1
        correction = self.refine(torch.cat([features, where.to(features)], 1))
        log_weights = (mass.movedim(-1, 1).log() + wide(correction)).log_softmax(1)
        return Samples(self.bins, position, log_weights, features)

    def _quantiles(self, logits: Tensor) -> Tensor:
        """(S+1,) or (N,h,w,S+1) even steps in [0, 1)."""
        count = self.samples + 1
        even = torch.arange(count, device=logits.device, dtype=torch.float32) / count
        if not self.training:
            return even + 1 / (2 * count)
        return even + torch.rand(*logits.shape[:1], *logits.shape[2:], 1, device=logits.device) / count


def draw_edges(weights: Tensor, quantiles: Tensor) -> Tensor:
    """Inverse transform: where the cumulative distribution reaches these quantiles.

    Args:
        weights: (...,count) of the bins, not negative; all zero counts as all equal.
        quantiles: (Q,) or (...,Q) in [0, 1].

    Returns:
        (...,Q) positions in [0, count].
    """
    padded = weights + PADDING
    padded = padded + (LEAST_SUM - padded.sum(-1, keepdim=True)).relu() / weights.shape[-1]
    probability = padded / padded.sum(-1, keepdim=True)
    cdf = nn.functional.pad(probability.cumsum(-1).clamp(max=1), (1, 0))
    wanted = quantiles.expand(*weights.shape[:-1], -1).contiguous()
    found = torch.searchsorted(cdf, wanted, right=True)
    below, above = (found - 1).clamp(min=0), found.clamp(max=weights.shape[-1])
    low, high = cdf.gather(-1, below), cdf.gather(-1, above)
    share = torch.where(high > low, (wanted - low) / (high - low), 0).clamp(0, 1)
    return below + share * (above - below)


def cumulative_at(probability: Tensor, position: Tensor) -> Tensor:
    """Probability of lying below positions, even within each bin; its gradient is that of the probabilities.

    Args:
        probability: (...,count).
        position: (...,Q) in [0, count].
    """
    below = nn.functional.pad(probability.cumsum(-1), (1, 0))
    bin_ = position.long().clamp(max=probability.shape[-1] - 1)
    return below.gather(-1, bin_) + (position - bin_) * probability.gather(-1, bin_)
