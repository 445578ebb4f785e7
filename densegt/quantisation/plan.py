"""Which tensors are held at eight bits, and which of them share a scale."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from densegt.quantisation.graph import Graph, Node

# Their output is made of values of their inputs: another scale would round for nothing, and engines ask for one.
SAME_SCALE = frozenset({"Concat", "Resize", "MaxPool"})


@dataclass(frozen=True)
class Plan:
    """For one graph.

    Attributes:
        scale_of: of each tensor at eight bits, the name of its scale: the first tensor that has it.
        layers: operations whose weights are at eight bits.
    """

    scale_of: Mapping[str, str]
    layers: tuple[Node, ...]

    @property
    def scales(self) -> tuple[str, ...]:
        """Names in order of the graph."""
        return tuple(dict.fromkeys(self.scale_of.values()))

    def tensors(self, scale: str) -> tuple[str, ...]:
        """That have a scale."""
        return tuple(tensor for tensor, name in self.scale_of.items() if name == scale)


def make_plan(graph: Graph, kept: Collection[str] = ()) -> Plan:
    """What is quantised of a graph: all but the layers that give its outputs, and those that are to be kept.

    A layer at full precision reads what is there: of eight bits where another layer wants those too.

    Args:
        kept: names of layers that stay as they are.
    """
    layers = tuple(n for n in graph.layers() if n.name not in kept and n.output not in graph.outputs)
    chosen = {node.output for node in layers}
    wanted = {t for n in graph.nodes for t in n.inputs if n.output in chosen or n.weight is None}
    # A layer's result is only then kept at eight bits throughout when it is written so, whoever reads it.
    wanted |= {graph.shown(node) for node in layers}
    hidden = {node.output for node in graph.nodes if graph.shown(node) != node.output}
    read = {t for node in graph.nodes for t in node.inputs}
    tensors = [t for t in _in_order(graph) if t in wanted and t in read and t not in hidden]
    ties: dict[str, str] = {tensor: tensor for tensor in tensors}
    for node in graph.nodes:
        together = [t for t in (*node.inputs, node.output) if t in ties] if node.op in SAME_SCALE else []
        for tensor in together[1:]:
            a, b = ties[together[0]], ties[tensor]
            first, other = sorted((a, b), key=tensors.index)
            ties = {t: first if root == other else root for t, root in ties.items()}
    return Plan(ties, layers)


def _in_order(graph: Graph) -> tuple[str, ...]:
    return (*graph.inputs, *(node.output for node in graph.nodes))
