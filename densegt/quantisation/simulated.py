"""A graph computed in torch as an engine computes it at eight bits: exact in the whole numbers, with a gradient."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from densegt.quantisation.arithmetic import WEIGHT_LIMIT, Levels, Scale, channels_first, weight_steps
from densegt.quantisation.graph import Graph, Node
from densegt.quantisation.operations import compute
from densegt.quantisation.plan import Plan

# Of a rounding that is being learned: a little beyond 0 and 1, so that both can be reached (M. Nagel et al., 2020).
STRETCH = 1.2, -0.1


@dataclass
class Quantisation:
    """Everything that a quantised file is made of, beside the float graph.

    Attributes:
        scales: by name, see `Plan`.
        weight_limit: the largest whole number of a weight.
        up: by layer, where a weight is rounded up and not down; layers that are not in it round to the nearest.
    """

    plan: Plan
    levels: Levels
    scales: dict[str, Scale]
    weight_limit: int = WEIGHT_LIMIT
    up: dict[str, NDArray[np.bool_]] = field(default_factory=dict)


class SimulatedGraph:
    """A graph with its constants as tensors.

    Args:
        quantisation: None computes in float.
    """

    def __init__(self, graph: Graph, quantisation: Quantisation | None = None) -> None:
        self.graph, self.quantisation = graph, quantisation
        self.constants = {
            name: torch.from_numpy(np.array(value))
            for name, value in graph.constants.items()
            if value.dtype == np.float32
        }
        self.steps = {node.name: self._steps(node) for node in graph.layers()}
        self._layers = {node.name for node in quantisation.plan.layers} if quantisation else set()
        self._weights: dict[str, Tensor] = {}

    def run(self, inputs: Mapping[str, Tensor], *, every: bool = False) -> dict[str, Tensor]:
        """The outputs by name; with `every` all tensors, those at eight bits as they are read."""
        values: dict[str, Tensor] = {name: self.activation(name, x) for name, x in inputs.items()}
        left = {tensor: len(self.graph.consumers(tensor)) for tensor in values} if not every else {}
        for node in self.graph.nodes:
            values[node.output] = self.activation(node.output, self.node(node, [values[t] for t in node.inputs]))
            if every:
                continue
            left[node.output] = len(self.graph.consumers(node.output))
            for tensor in node.inputs:
                left[tensor] -= 1
                if not left[tensor] and tensor not in self.graph.outputs:
                    del values[tensor]
        return values if every else {name: values[name] for name in self.graph.outputs}

    def node(self, node: Node, inputs: list[Tensor]) -> Tensor:
        """An operation's result, before it is rounded."""
        if node.weight is None:
            return compute(node, inputs, (None, None))
        bias = None if node.bias is None else self.constants[node.bias]
        if node.name not in self._layers:
            return compute(node, inputs, (self.constants[node.weight], bias))
        return compute(node, inputs, (self.weight(node), self.bias(node, bias)))

    def weight(self, node: Node) -> Tensor:
        """At eight bits, as the engine multiplies with."""
        if node.name not in self._weights:
            assert self.quantisation is not None
            assert node.weight is not None
            weight, step = self.constants[node.weight], self.steps[node.name]
            up = self.quantisation.up.get(node.name)
            ratio = weight / step
            number = ratio.round() if up is None else ratio.floor() + torch.from_numpy(up)
            limit = self.quantisation.weight_limit
            self._weights[node.name] = step * number.clamp(-limit, limit)
        return self._weights[node.name]

    def bias(self, node: Node, bias: Tensor | None) -> Tensor | None:
        """A whole number of the products' steps."""
        if bias is None:
            return None
        step = self.step(node.inputs[0]) * self.steps[node.name].flatten()
        counted: Tensor = (bias / step).round() * step
        return counted

    def step(self, tensor: str) -> Any:
        """Of a tensor at eight bits."""
        assert self.quantisation is not None
        return self.quantisation.scales[self.quantisation.plan.scale_of[tensor]].step

    def activation(self, name: str, x: Tensor) -> Tensor:
        """A tensor as it is read; in float unless it is at eight bits."""
        q = self.quantisation
        scale = None if q is None else q.scales.get(q.plan.scale_of.get(name, ""))
        return x if q is None or scale is None else rounded(x, scale, q.levels)

    def _steps(self, node: Node) -> Tensor:
        assert node.weight is not None
        weight, transposed = self.graph.constants[node.weight], node.op == "ConvTranspose"
        limit = WEIGHT_LIMIT if self.quantisation is None else self.quantisation.weight_limit
        steps = weight_steps(weight, transposed=transposed, limit=limit)
        return torch.from_numpy(channels_first(steps, weight.ndim, transposed=transposed))


def rounded(x: Tensor, scale: Scale, levels: Levels) -> Tensor:
    """The values nearest to x that a scale has."""
    step = float(np.float32(scale.step))
    return ((x / step).round().clamp(levels.least - scale.zero, levels.most - scale.zero)) * step
