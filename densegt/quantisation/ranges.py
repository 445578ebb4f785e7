"""How far the values of each tensor reach, over keyframes."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from densegt.quantisation.arithmetic import Levels, Scale, scale_of_range
from densegt.quantisation.plan import Plan
from densegt.quantisation.simulated import SimulatedGraph

BINS = 4096
Range = tuple[float, float]
Inputs = dict[str, Tensor]


def max_min_ranges(graph: SimulatedGraph, frames: Sequence[Inputs]) -> dict[str, Range]:
    """Least and largest value of each tensor."""
    ranges: dict[str, Range] = {}
    for frame in frames:
        for name, value in graph.run(frame, every=True).items():
            least, most = ranges.get(name, (0.0, 0.0))
            ranges[name] = min(least, float(value.min())), max(most, float(value.max()))
    return ranges


def percentile_ranges(
    graph: SimulatedGraph, frames: Sequence[Inputs], ranges: dict[str, Range], percent: float
) -> dict[str, Range]:
    """Within which so many of a tensor's values lie, zeros counted: what is customary.

    Args:
        ranges: of all its values.
    """
    counts = {name: torch.zeros(BINS, dtype=torch.float64) for name in ranges}
    for frame in frames:
        for name, value in graph.run(frame, every=True).items():
            least, most = ranges[name]
            if most > least:
                counts[name] += torch.histc(value, BINS, least, most).double()
    return {name: cut_range(counts[name], *ranges[name], share=1 - percent / 100) for name in ranges}


def cut_range(counts: Tensor, least: float, most: float, *, share: float) -> Range:
    """The range without a share of the values, half of it at each end where the range has two.

    Args:
        counts: (BINS,) of values, from the least to the most.
    """
    if most <= least:
        return least, most
    below = (counts.cumsum(0) / counts.sum()).contiguous()
    width = (most - least) / BINS
    two_sided = least < 0 < most
    off = share / 2 if two_sided else share
    low = int(torch.searchsorted(below, torch.tensor(off, dtype=torch.float64))) if least < 0 else 0
    high = int(torch.searchsorted(below, torch.tensor(1 - off, dtype=torch.float64))) if most > 0 else BINS - 1
    return least + low * width, least + (min(high, BINS - 1) + 1) * width


def scales_of(plan: Plan, ranges: dict[str, Range], levels: Levels) -> dict[str, Scale]:
    """Scales that hold the ranges of all tensors that share them."""
    found = {}
    for name in plan.scales:
        mine = [ranges[tensor] for tensor in plan.tensors(name)]
        found[name] = scale_of_range(min(r[0] for r in mine), max(r[1] for r in mine), levels)
    return found
