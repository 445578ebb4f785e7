"""Each range shrunk by what serves the layers that read it, where there is something as everywhere.

A bird's-eye view is nearly all zeros, and what stands in it is large: an error of the layer's output says what a range
is worth, and cells with something in or beside them count as much as all cells together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from densegt.quantisation.arithmetic import Scale
from densegt.quantisation.graph import Graph, Node
from densegt.quantisation.ranges import Inputs
from densegt.quantisation.simulated import Quantisation, SimulatedGraph, rounded

COARSE = 4


class GridSettings(NamedTuple):
    """How many factors, from the least to 1."""

    tried: int
    least: float

    def factors(self) -> list[float]:
        """Largest first, so that of equally good ones the widest range is taken."""
        return [float(factor) for factor in np.linspace(1.0, self.least, self.tried)]


def occupied_cells(graph: Graph, inputs: Mapping[str, Tensor], size: torch.Size) -> Tensor:
    """(1,1,h,w) 1 where an input has something in a cell of that size or next to it; all, where no input is sparse."""
    found = torch.zeros(1, 1, *size)
    for name in graph.inputs:
        there = (inputs[name] != 0).any(1, keepdim=True).float()
        pooled = functional.adaptive_max_pool2d(there, (size[0], size[1]))
        found = torch.maximum(found, functional.max_pool2d(pooled, 3, 1, 1))
    return found


def search(
    graph: Graph, quantisation: Quantisation, frames: Sequence[Inputs], settings: GridSettings
) -> dict[str, float]:
    """Set the scales of a quantisation, in the graph's order, each after those before it; gives the factors taken."""
    searching = _Search(graph, quantisation, frames)
    return {name: searching.choose(name, settings.factors()) for name in quantisation.plan.scales}


class _Search:
    """The float values of every tensor, and those of the graph at eight bits as far as it is chosen."""

    def __init__(self, graph: Graph, quantisation: Quantisation, frames: Sequence[Inputs]) -> None:
        self.graph, self.quantisation, self.frames = graph, quantisation, frames
        self.float = SimulatedGraph(graph)
        self.simulated = SimulatedGraph(graph, quantisation)
        self.wanted = [self.float.run(frame, every=True) for frame in frames]
        # Before rounding; tensors whose inputs are not chosen yet are not in it.
        self.raw: list[Inputs] = [dict(frame) for frame in frames]
        self.chosen: set[str] = set()
        self._occupied: dict[tuple[int, torch.Size], Tensor] = {}

    def choose(self, name: str, factors: Sequence[float]) -> float:
        """The best factor for one scale."""
        self._advance()
        widest = self.quantisation.scales[name]
        best = factors[least_of(lambda k: self._error(name, self._shrunk(widest, factors[k])), len(factors))]
        self.quantisation.scales[name] = self._shrunk(widest, best)
        self.chosen.add(name)
        return best

    def _shrunk(self, widest: Scale, factor: float) -> Scale:
        return Scale(widest.step * factor, widest.zero)

    def _error(self, name: str, scale: Scale) -> float:
        total = 0.0
        for tensor in self.quantisation.plan.tensors(name):
            readers = [node for node in self.graph.consumers(tensor) if node.weight is not None]
            for k, (wanted, raw) in enumerate(zip(self.wanted, self.raw, strict=True)):
                x = rounded(raw.get(tensor, wanted[tensor]), scale, self.quantisation.levels)
                for node in readers:
                    total += self._loss(node, x, scale, wanted, k)
                if not readers:
                    total += self._relative(x, wanted[tensor], k)
        return total

    def _loss(self, node: Node, x: Tensor, scale: Scale, wanted: Inputs, frame: int) -> float:
        before, tensor = self.quantisation.scales, node.inputs[0]
        # The bias is rounded in steps of this very scale.
        self.quantisation.scales = {**before, self.quantisation.plan.scale_of[tensor]: scale}
        y = self.simulated.node(node, [x])
        self.quantisation.scales = before
        shown = self.graph.shown(node)
        return self._relative(y if shown == node.output else functional.relu(y), wanted[shown], frame)

    def _relative(self, y: Tensor, wanted: Tensor, frame: int) -> float:
        size = wanted.shape[-2:]
        if (frame, size) not in self._occupied:
            self._occupied[frame, size] = occupied_cells(self.graph, self.frames[frame], size)
        return float(relative_error(y, wanted, self._occupied[frame, size]))

    def _advance(self) -> None:
        """Compute what can be computed at eight bits by now."""
        for node in self.graph.nodes:
            if node.output in self.raw[0] or not all(self._ready(t) for t in node.inputs):
                continue
            for raw in self.raw:
                inputs = [self.simulated.activation(t, raw[t]) for t in node.inputs]
                raw[node.output] = self.simulated.node(node, inputs)

    def _ready(self, tensor: str) -> bool:
        scale = self.quantisation.plan.scale_of.get(tensor)
        return tensor in self.raw[0] and (scale is None or scale in self.chosen)


def least_of(error: Callable[[int], float], count: int) -> int:
    """Which of some numbers has the least error: every fourth is tried, then those about the best of them."""
    known = {k: error(k) for k in {*range(0, count, COARSE), count - 1}}
    for step in (COARSE // 2, COARSE // 4):
        best = min(sorted(known), key=known.__getitem__)
        known |= {k: error(k) for k in (best - step, best + step) if 0 <= k < count and k not in known}
    return int(min(sorted(known), key=known.__getitem__))


def relative_error(y: Tensor, wanted: Tensor, occupied: Tensor) -> Tensor:
    """Squared error over squared size, of occupied cells and of all cells, summed; 0 where nothing is wanted."""
    difference = y - wanted
    # By cells first: channels are many, and this is done for each layer in each step of learning.
    off, size = ((value * value).sum(1, keepdim=True) for value in (difference, wanted))
    tiny = torch.finfo(torch.float32).tiny
    everywhere = off.sum() / size.sum().clamp(min=tiny)
    there = (off * occupied).sum() / (size * occupied).sum().clamp(min=tiny)
    return everywhere + there
