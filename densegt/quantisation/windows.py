"""Parts of keyframes: what search and learning look at, several times as fast as all of it.

A part goes through the same layers, at eight bits as in float, so that nothing need be known of what lies around it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from torch.nn import functional

from densegt.quantisation.graph import Graph, Node
from densegt.quantisation.ranges import Inputs
from densegt.quantisation.simulated import SimulatedGraph

SHARES = (2, 3, 4, 5)
# Cells of the coarsest map: of fewer most would lie at the border.
LEAST_SIDE = 8
# Windows overlap by all but such a part of their side.
SHIFTS = 4


def window_share(graph: Graph) -> int:
    """Into how many parts every map's sides can be divided; 1 where they cannot, or where little would be left."""
    nothing = {name: torch.zeros(shape) for name, shape in graph.shapes.items()}
    with torch.no_grad():
        values = SimulatedGraph(graph).run(nothing, every=True).values()
    sides = {side for value in values for side in value.shape[-2:]}
    return next((k for k in SHARES if all(side % k == 0 and side // k >= LEAST_SIDE for side in sides)), 1)


def windowed(graph: Graph, share: int) -> Graph:
    """The graph of inputs whose sides are that part of its own."""
    shapes = {name: (*shape[:-2], *(side // share for side in shape[-2:])) for name, shape in graph.shapes.items()}
    return replace(graph, nodes=tuple(_windowed(node, share) for node in graph.nodes), shapes=shapes)


def window(frame: Inputs, share: int, rng: np.random.Generator) -> Inputs:
    """A part of a keyframe's inputs, drawn the likelier the more is in it."""
    if share == 1:
        return frame
    first = next(iter(frame.values()))
    rows, columns = (side // share for side in first.shape[-2:])
    steps = max(rows // SHIFTS, 1), max(columns // SHIFTS, 1)
    there = torch.stack([(value != 0).any(1, keepdim=True).float() for value in frame.values()]).amax(0)
    filled = functional.avg_pool2d(there, (rows, columns), steps)[0, 0].double().numpy()
    odds = filled.ravel() + 1e-9
    row, column = np.divmod(rng.choice(len(odds), p=odds / odds.sum()), filled.shape[1])
    top, left = int(row) * steps[0], int(column) * steps[1]
    return {name: value[..., top : top + rows, left : left + columns] for name, value in frame.items()}


def windows(frames: Sequence[Inputs], share: int, seed: int) -> list[Inputs]:
    """One of each keyframe."""
    return [window(frame, share, np.random.default_rng((seed, k))) for k, frame in enumerate(frames)]


def _windowed(node: Node, share: int) -> Node:
    sizes = node.attributes.get("sizes")
    if sizes is None:
        return node
    smaller = (*sizes[:-2], *(side // share for side in sizes[-2:]))
    return replace(node, attributes={**node.attributes, "sizes": smaller})
