"""What the lift takes: places on rays, how much of each pixel lies there, and the features to lay down."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from densegt.detection.depth_head.bins import NO_BIN, Bins


@dataclass(frozen=True)
class Samples:
    """S samples of each pixel of N images.

    Attributes:
        bins: whose metric positions are in.
        position: (S,), or (N,S,h,w), not necessarily in order; `bins.depth_m` makes metres of it.
        log_weights: (N,S,h,w) logarithm of the probability that the surface is there; exp sums to 1 over S.
        features: (N,C,h,w).
        shift: (N,2,h,w) columns and rows by which a pixel's ray was moved, in cells of the feature map, or None.
    """

    bins: Bins
    position: Tensor
    log_weights: Tensor
    features: Tensor
    shift: Tensor | None = None

    @property
    def weights(self) -> Tensor:
        """(N,S,h,w) probabilities."""
        return self.log_weights.exp()

    @property
    def depth_m(self) -> Tensor:
        """(S,) or (N,S,h,w) float64."""
        return self.bins.depth_m(self.position.double())

    def expectation_m(self) -> Tensor:
        """Expected depth (N,h,w), averaged in the bins' metric."""
        return self.bins.depth_m((self.weights * self._each).sum(1))

    @property
    def _each(self) -> Tensor:
        return self.position.reshape(1, -1, 1, 1) if self.position.dim() == 1 else self.position

    def target(self, depth_m: Tensor) -> Tensor:
        """What the weights should have been: shared by the two samples that each depth lies between.

        Args:
            depth_m: (N,h,w).

        Returns:
            (N,S,h,w) without gradient, of sum 1, or 0 where the depth is in none of the bins. Fixed samples give the
            soft target of the bins.
        """
        depth_m = depth_m.detach()
        position, order = torch.sort(self._each.detach().expand_as(self.log_weights), 1)
        wanted = self.bins.position(depth_m.double()).to(position.dtype).unsqueeze(1)
        after = (position <= wanted).sum(1, keepdim=True)
        below = (after - 1).clamp(min=0)
        above = after.clamp(max=position.shape[1] - 1)
        low, high = position.gather(1, below), position.gather(1, above)
        share = torch.where(high > low, (wanted - low) / (high - low), 0)
        ordered = torch.zeros_like(position).scatter_add(1, below, 1 - share).scatter_add(1, above, share)
        known = (self.bins.index(depth_m) != NO_BIN).unsqueeze(1)
        return torch.where(known, torch.zeros_like(ordered).scatter(1, order, ordered), 0)
