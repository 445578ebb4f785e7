"""The file: a float graph with the places where numbers are rounded to eight bits written into it (QDQ)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from densegt.quantisation.arithmetic import channels_first, to_numbers, weight_steps
from densegt.quantisation.graph import Graph, Node
from densegt.quantisation.simulated import Quantisation

if TYPE_CHECKING:
    from onnx import ModelProto

METADATA = "densegt"
PRODUCER = "densegt"


def write_metadata(model: ModelProto, facts: Mapping[str, Any]) -> None:
    """What the engine must know, and how the file was made, as JSON in the file."""
    del model.metadata_props[:]
    entry = model.metadata_props.add()
    entry.key, entry.value = METADATA, json.dumps(facts)


def quantised_model(float_model: ModelProto, graph: Graph, quantisation: Quantisation) -> ModelProto:
    """Float activations pass through QuantizeLinear and DequantizeLinear; weights are kept as whole numbers.

    Weights have a step for each output channel (axis 0 of a convolution) and zero point 0, biases are 32 bits wide.
    """
    from onnx import ModelProto

    model = ModelProto()
    model.CopyFrom(float_model)
    del model.graph.node[:], model.graph.initializer[:], model.graph.value_info[:]
    model.producer_name = PRODUCER
    writer = _Writer(model, graph, quantisation)
    for name in graph.inputs:
        writer.pair(name)
    protos = {proto.output[0]: proto for proto in float_model.graph.node}
    layers = {node.name for node in quantisation.plan.layers}
    for node in graph.nodes:
        writer.operation(protos[node.output], node, quantised=node.name in layers)
        writer.pair(node.output)
    writer.keep_constants()
    return model


class _Writer:
    def __init__(self, model: ModelProto, graph: Graph, quantisation: Quantisation) -> None:
        self.graph, self.quantisation, self.out = graph, quantisation, model.graph
        self.read_as: dict[str, str] = {}
        self.scales: set[str] = set()
        self.numbers = np.int8 if quantisation.levels.signed else np.uint8
        held = set(quantisation.plan.scale_of)
        self.rows = set() if quantisation.levels.signed else held & _read_by_cells(graph)

    def pair(self, tensor: str) -> None:
        """Round a tensor for all that read it, if it is at eight bits."""
        from onnx import helper

        name = self.quantisation.plan.scale_of.get(tensor)
        if name is None:
            return
        scale, zero = f"{name}_s", f"{name}_z"
        if name not in self.scales:
            given = self.quantisation.scales[name]
            self.constant(scale, np.array(given.step, np.float32))
            self.constant(zero, np.array(given.zero, self.numbers))
            self.scales.add(name)
        numbers, read = f"{tensor}_q", f"{tensor}_d"
        self.out.node.append(helper.make_node("QuantizeLinear", [tensor, scale, zero], [numbers]))
        if tensor in self.rows:
            self.out.node.append(helper.make_node("Transpose", [numbers], [f"{tensor}_r"], perm=[0, 2, 3, 1]))
            numbers = f"{tensor}_r"
        self.out.node.append(helper.make_node("DequantizeLinear", [numbers, scale, zero], [read]))
        self.read_as[tensor] = read

    def operation(self, proto: Any, node: Node, *, quantised: bool) -> None:
        """One of the float graph, its inputs and weights replaced."""
        from onnx import NodeProto

        if node.inputs[0] in self.rows:
            self.by_cells(node)
            return
        copy = NodeProto()
        copy.CopyFrom(proto)
        copy.name, copy.doc_string = "", ""
        del copy.metadata_props[:]
        names = [self.read_as.get(name, name) for name in copy.input]
        if quantised:
            names[1:] = self.weights(node)
        del copy.input[:]
        copy.input.extend(names)
        self.out.node.append(copy)

    def by_cells(self, node: Node) -> None:
        """A 1x1 convolution in float as a matrix product: onnxruntime has eight bits' channels last, so that a
        convolution behind them would first be laid out anew, then blocked, then laid out once more.
        """
        from onnx import helper

        assert node.weight is not None
        weight, said = self.graph.constants[node.weight], node.output if node.bias is None else f"{node.output}_p"
        self.constant(f"{node.weight}_m", np.ascontiguousarray(weight[:, :, 0, 0].T))
        inputs = [self.read_as[node.inputs[0]], f"{node.weight}_m"]
        self.out.node.append(helper.make_node("MatMul", inputs, [f"{node.output}_r"]))
        self.out.node.append(helper.make_node("Transpose", [f"{node.output}_r"], [said], perm=[0, 3, 1, 2]))
        if node.bias is not None:
            self.constant(f"{node.bias}_m", self.graph.constants[node.bias].reshape(1, -1, 1, 1))
            self.out.node.append(helper.make_node("Add", [said, f"{node.bias}_m"], [node.output]))

    def weights(self, node: Node) -> list[str]:
        """Names of the weight, and of the bias where there is one, as they are read."""
        assert node.weight is not None
        weight, transposed = self.graph.constants[node.weight], node.op == "ConvTranspose"
        limit = self.quantisation.weight_limit
        steps = weight_steps(weight, transposed=transposed, limit=limit)
        shaped = channels_first(steps, weight.ndim, transposed=transposed)
        up = self.quantisation.up.get(node.name)
        # The very division that the simulation does, in float32.
        ratio = weight / shaped
        numbers = np.rint(ratio) if up is None else np.floor(ratio) + up
        numbers = np.clip(numbers, -limit, limit).astype(np.int8)
        names = [self.dequantised(node.weight, numbers, steps, axis=1 if transposed else 0)]
        if node.bias is not None:
            name = self.quantisation.plan.scale_of[node.inputs[0]]
            step = (np.float32(self.quantisation.scales[name].step) * steps).astype(np.float32)
            most = 2**31 - 1
            bias = to_numbers(self.graph.constants[node.bias].astype(np.float64), step, 0, -most, most)
            names.append(self.dequantised(node.bias, bias.astype(np.int32), step, axis=0))
        return names

    def dequantised(self, name: str, numbers: NDArray[Any], steps: NDArray[np.float32], *, axis: int) -> str:
        """A constant of whole numbers, read as what they stand for."""
        from onnx import helper

        self.constant(f"{name}_q", numbers)
        self.constant(f"{name}_s", steps)
        # No zero point is zero point 0.
        inputs = [f"{name}_q", f"{name}_s"]
        self.out.node.append(helper.make_node("DequantizeLinear", inputs, [f"{name}_d"], axis=axis))
        return f"{name}_d"

    def constant(self, name: str, value: NDArray[Any]) -> None:
        """Add one."""
        from onnx import numpy_helper

        self.out.initializer.append(numpy_helper.from_array(value, name))

    def keep_constants(self) -> None:
        """Those of the float graph that are still read."""
        read = {name for node in self.out.node for name in node.input}
        there = {tensor.name for tensor in self.out.initializer}
        for name, value in self.graph.constants.items():
            if name in read - there:
                self.constant(name, value)


def _read_by_cells(graph: Graph) -> set[str]:
    """Tensors that nothing reads but 1x1 convolutions that give outputs."""
    tensors = {tensor for node in graph.nodes for tensor in node.inputs}
    return {tensor for tensor in tensors if all(_gives_cells(graph, node) for node in graph.consumers(tensor))}


def _gives_cells(graph: Graph, node: Node) -> bool:
    if node.op != "Conv" or node.weight is None or node.output not in graph.outputs:
        return False
    a = node.attributes
    plain = a["group"] == 1 and tuple(a["strides"]) == (1, 1) and not any(a["pads"])
    return plain and graph.constants[node.weight].shape[2:] == (1, 1)
