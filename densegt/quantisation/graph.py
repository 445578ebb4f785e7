"""An ONNX graph of convolutions as plain values: what is quantised, learned and written is read of this."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from densegt.errors import InputError

if TYPE_CHECKING:
    from onnx import ModelProto

# What is understood; each has one output.
OPERATIONS = frozenset({"Conv", "ConvTranspose", "Relu", "Add", "Concat", "Resize", "MaxPool", "AveragePool"})


@dataclass(frozen=True)
class Node:
    """One operation.

    Attributes:
        inputs: tensors that are computed, in order; output: its only one.
        weight, bias: names of constants, None where there is none.
    """

    name: str
    op: str
    inputs: tuple[str, ...]
    output: str
    weight: str | None
    bias: str | None
    attributes: Mapping[str, Any]


@dataclass(frozen=True)
class Graph:
    """Operations in an order in which they can be computed.

    Attributes:
        inputs, outputs: names of tensors; shapes: of the inputs.
    """

    nodes: tuple[Node, ...]
    constants: Mapping[str, NDArray[Any]]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    shapes: Mapping[str, tuple[int, ...]]

    def consumers(self, tensor: str) -> list[Node]:
        """Operations that read a tensor."""
        return [node for node in self.nodes if tensor in node.inputs]

    def layers(self) -> Iterator[Node]:
        """Operations with weights."""
        return (node for node in self.nodes if node.weight is not None)

    def shown(self, node: Node) -> str:
        """Where an operation's result is seen: behind its rectifier, if that alone reads it."""
        readers = self.consumers(node.output)
        if len(readers) == 1 and readers[0].op == "Relu" and node.output not in self.outputs:
            return readers[0].output
        return node.output


def read_graph(model: ModelProto) -> Graph:
    """The graph of a float model.

    Raises:
        InputError: it has an operation that is none of `OPERATIONS`.
    """
    from onnx import helper, numpy_helper

    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    nodes = []
    for proto in model.graph.node:
        if proto.op_type not in OPERATIONS or len(proto.output) != 1:
            raise InputError(f"{proto.name}: a network with {proto.op_type} in it cannot be quantised")
        data = tuple(name for name in proto.input if name and name not in constants)
        weighted = proto.op_type in ("Conv", "ConvTranspose")
        attributes = {a.name: helper.get_attribute_value(a) for a in proto.attribute}
        if proto.op_type == "Resize":
            attributes["sizes"], attributes["scales"] = _resize(list(proto.input), constants)
        nodes.append(
            Node(
                proto.input[1].removesuffix(".weight") if weighted else proto.output[0],
                proto.op_type, data, proto.output[0],
                proto.input[1] if weighted else None,
                proto.input[2] if weighted and len(proto.input) > 2 else None,
                attributes,
            )
        )  # fmt: skip
    shapes = {value.name: tuple(d.dim_value for d in value.type.tensor_type.shape.dim) for value in model.graph.input}
    return Graph(tuple(nodes), constants, tuple(shapes), tuple(o.name for o in model.graph.output), shapes)


def _resize(
    inputs: list[str], constants: Mapping[str, NDArray[Any]]
) -> tuple[tuple[int, ...] | None, tuple[float, ...] | None]:
    """Sizes and scales; ONNX gives one of them."""
    sizes = constants[inputs[3]] if len(inputs) > 3 and inputs[3] else None
    scales = constants[inputs[2]] if len(inputs) > 2 and inputs[2] else None
    return (
        None if sizes is None else tuple(int(v) for v in sizes),
        None if scales is None or not len(scales) else tuple(float(v) for v in np.asarray(scales)),
    )
