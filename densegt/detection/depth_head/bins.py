"""Depth in bins: uniform (UD), linearly growing (LID) or growing with depth (SID).

Each kind has a metric: a position in [0, count] in which all its bins have width 1. After C. Reading et al.,
Categorical Depth Distribution Network for Monocular 3D Object Detection, 2021; with t = position / count:

    UD   depth = min + (max - min) t
    LID  depth = min + (max - min) position (position + 1) / (count (count + 1))
    SID  depth = (1 + min) ((1 + max) / (1 + min))^t - 1
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

Kind = Literal["UD", "LID", "SID"]
NO_BIN = -1


@dataclass(frozen=True)
class Bins:
    """Bins from min_m to max_m, each closed below and open above, the last one closed on both sides.

    Attributes:
        min_m, max_m: the outermost edges; min_m is positive, for 0 says that depth is unknown.
    """

    kind: Kind
    min_m: float
    max_m: float
    count: int

    def __post_init__(self) -> None:
        if self.kind not in ("UD", "LID", "SID"):
            raise ValueError(f"bins of kind {self.kind!r}; there are UD, LID and SID")
        if not 0 < self.min_m < self.max_m < math.inf:
            raise ValueError(f"bins from {self.min_m} m to {self.max_m} m; 0 < min < max is wanted")
        if self.count < 1:
            raise ValueError(f"{self.count} bins; at least one is wanted")

    def edges_m(self) -> Tensor:
        """(count + 1,) float64; the outermost ones are min_m and max_m exactly."""
        edges_m = self.depth_m(torch.arange(self.count + 1, dtype=torch.float64))
        edges_m[0], edges_m[-1] = self.min_m, self.max_m
        return edges_m

    def centres_m(self) -> Tensor:
        """(count,) float64 depth halfway through each bin in its metric: the expectation of a one-hot distribution."""
        return self.depth_m(torch.arange(self.count, dtype=torch.float64) + 0.5)

    def depth_m(self, position: Tensor) -> Tensor:
        """Depth at positions in the metric; differentiable, monotonic, of any shape."""
        share = position / self.count
        if self.kind == "UD":
            return self.min_m + (self.max_m - self.min_m) * share
        if self.kind == "LID":
            return self.min_m + (self.max_m - self.min_m) * share * (position + 1) / (self.count + 1)
        return (1 + self.min_m) * torch.exp(share * self._log_span) - 1

    def position(self, depth_m: Tensor) -> Tensor:
        """Position of depths in the metric, of any shape; outside the bins that of the nearest edge, NaN stays NaN."""
        inside_m = depth_m.clamp(self.min_m, self.max_m)
        share = (inside_m - self.min_m) / (self.max_m - self.min_m)
        if self.kind == "UD":
            return self.count * share
        if self.kind == "LID":
            return (torch.sqrt(1 + 4 * share * self.count * (self.count + 1)) - 1) / 2
        return self.count * torch.log1p((inside_m - self.min_m) / (1 + self.min_m)) / self._log_span

    @property
    def _log_span(self) -> float:
        return math.log1p((self.max_m - self.min_m) / (1 + self.min_m))

    def index(self, depth_m: Tensor) -> Tensor:
        """Bin of each depth, int64 of the same shape; NO_BIN outside the bins and for NaN.

        Found among the edges as the depth's own type writes them, never by formula: an edge rounded to float32 opens
        the same bin as the edge itself, and the largest float32 below max_m lies in the last bin. max_m does too.
        """
        values = depth_m if depth_m.dtype in (torch.float32, torch.float64) else depth_m.float()
        edges_m = self.edges_m().to(values)
        found = torch.searchsorted(edges_m, values.contiguous(), right=True) - 1
        inside = (values >= edges_m[0]) & (values <= edges_m[-1])
        return torch.where(inside, found.clamp(max=self.count - 1), NO_BIN)

    def expectation_m(self, probability: Tensor) -> Tensor:
        """Depth (N,...) that a distribution (N,count,...) expects, averaged in the metric; NaN where all of it is 0.

        It need not sum to 1: of one with a class for "nothing" give the first `count` classes.
        """
        centres = torch.arange(self.count, device=probability.device, dtype=probability.dtype) + 0.5
        mean = torch.tensordot(probability.movedim(1, -1), centres, dims=1) / probability.sum(1)
        return self.depth_m(mean)
