"""Which layers lose most at eight bits: each in turn is left at full precision, alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch

from densegt.quantisation.arithmetic import LEVELS, weight_limit
from densegt.quantisation.config import QuantiseConfig
from densegt.quantisation.graph import Graph
from densegt.quantisation.grid_search import occupied_cells, relative_error
from densegt.quantisation.plan import make_plan
from densegt.quantisation.ranges import Inputs, max_min_ranges, scales_of
from densegt.quantisation.simulated import Quantisation, SimulatedGraph

# Of the calibration's; a layer's share in the error is plain after few.
FRAMES = 6


class Gain(NamedTuple):
    """By how much the error of the outputs falls, as a share of it, when a layer is left as it is."""

    layer: str
    gain: float


def layer_gains(graph: Graph, frames: Sequence[Inputs], config: QuantiseConfig) -> list[Gain]:
    """Every layer, the worst first; ranges are the widest, for a search hides what a layer would lose."""
    some = frames[:: max(1, len(frames) // FRAMES)][:FRAMES]
    levels, limit, float_graph = LEVELS[config.target], weight_limit(config.weight_bits), SimulatedGraph(graph)
    with torch.no_grad():
        ranges = max_min_ranges(float_graph, some)
        wanted = [float_graph.run(frame) for frame in some]

        def error(kept: Sequence[str]) -> float:
            plan = make_plan(graph, kept)
            simulated = SimulatedGraph(graph, Quantisation(plan, levels, scales_of(plan, ranges, levels), limit))
            total = 0.0
            for frame, want in zip(some, wanted, strict=True):
                said = simulated.run(frame)
                for name, value in want.items():
                    occupied = occupied_cells(graph, frame, value.shape[-2:])
                    total += float(relative_error(said[name], value, occupied))
            return total

        whole = error(())
        names = [node.name for node in make_plan(graph).layers]
        gains = [Gain(name, 1 - error((name,)) / max(whole, 1e-12)) for name in names]
    return sorted(gains, key=lambda each: -each.gain)


def sensitive_layers(graph: Graph, frames: Sequence[Inputs], config: QuantiseConfig) -> list[str]:
    """Names, the worst first."""
    return [each.layer for each in layer_gains(graph, frames, config)]
