"""The float file is torch's network, and the simulation is onnxruntime's arithmetic on every layer."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("lightning")
onnx = pytest.importorskip("onnx")
ort = pytest.importorskip("onnxruntime")
pytest.importorskip("onnxscript")

from densegt.errors import InputError  # noqa: E402
from densegt.quantisation.config import QuantiseConfig  # noqa: E402
from densegt.quantisation.engine import NOT_FUSED, cpu_flags, slow_here  # noqa: E402
from densegt.quantisation.graph import read_graph  # noqa: E402
from densegt.quantisation.plan import make_plan  # noqa: E402
from densegt.quantisation.qdq import quantised_model  # noqa: E402
from densegt.quantisation.quantise import quantisation_of  # noqa: E402
from densegt.quantisation.simulated import SimulatedGraph  # noqa: E402

from .small import exported, frames, quantised  # noqa: E402

TARGETS = ("cpu", "tensorrt")


@pytest.fixture(scope="module")
def made():
    return exported()


def session(model):
    """Exact where this processor is not."""
    options = ort.SessionOptions()
    options.log_severity_level, options.intra_op_num_threads = 3, 1
    if slow_here(cpu_flags()):
        options.add_session_config_entry(*NOT_FUSED)
    return ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def run(model, frame):
    opened = session(model)
    names = [output.name for output in opened.get_outputs()]
    return dict(zip(names, opened.run(names, {k: v.numpy() for k, v in frame.items()}), strict=True))


@torch.no_grad()
def test_the_float_file_is_torch_s_network(made):
    part, model, graph = made
    frame = frames(1, seed=5)[0]
    wanted = dict(zip(part.outputs, part.module(frame["occupancy"]), strict=True))
    simulated, engine = SimulatedGraph(graph).run(frame), run(model, frame)
    for name, value in wanted.items():
        assert value.abs().max() > 0.1
        np.testing.assert_allclose(simulated[name], value, atol=1e-4)
        np.testing.assert_allclose(engine[name], value, atol=1e-4)


def test_batch_norm_is_folded(made):
    assert {node.op for node in made[2].nodes} == {"Conv", "Relu", "Add", "Resize", "Concat"}


def every_number(model, target):
    """The model with every whole number that it computes as an output."""
    shown = onnx.ModelProto()
    shown.CopyFrom(model)
    kind = onnx.TensorProto.INT8 if target == "tensorrt" else onnx.TensorProto.UINT8
    for node in model.graph.node:
        if node.op_type == "QuantizeLinear":
            shown.graph.output.append(onnx.helper.make_tensor_value_info(node.output[0], kind, None))
    return shown


@torch.no_grad()
def steps_apart(graph, quantisation, model, target, frame):
    """By tensor: the most steps that the simulation and onnxruntime are apart, given the same inputs of that layer."""
    got, simulated, apart = run(every_number(model, target), frame), SimulatedGraph(graph, quantisation), {}

    def read(tensor):
        scale = quantisation.scales[quantisation.plan.scale_of[tensor]]
        return torch.from_numpy((got[f"{tensor}_q"].astype(np.float32) - scale.zero) * np.float32(scale.step))

    held = {}
    for node in graph.nodes:
        inputs = [held[t] if t in held else read(t) for t in node.inputs]
        value = simulated.node(node, inputs)
        if node.output in quantisation.plan.scale_of:
            scale = quantisation.scales[quantisation.plan.scale_of[node.output]]
            off = simulated.activation(node.output, value) - read(node.output)
            apart[node.output] = float((off / scale.step).abs().max())
        else:
            held[node.output] = value
    return apart


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("method", ["max-min", "percentile", "grid"])
def test_the_simulation_is_within_a_step_of_onnxruntime_on_every_layer(made, target, method):
    _, model, graph = made
    quantisation = quantised(graph, target, method)
    # Some weights rounded away from the nearest, as learning leaves them.
    for node in quantisation.plan.layers:
        weight = graph.constants[node.weight]
        quantisation.up[node.name] = np.random.default_rng(1).random(weight.shape) < 0.5
    file = quantised_model(model, graph, quantisation)
    onnx.checker.check_model(file)
    apart = steps_apart(graph, quantisation, file, target, frames(1, seed=7)[0])
    assert len(apart) > 15
    assert max(apart.values()) <= 1.001, apart


def test_with_weights_of_seven_bits_every_processor_is_exact(made):
    """No sum of two products overflows 16 bits, which is where one without VNNI clips."""
    _, model, graph = made
    settings = QuantiseConfig(method="max-min", weight_bits=7)
    quantisation = quantisation_of(graph, frames(), settings)
    file = quantised_model(model, graph, quantisation)
    numbers = [onnx.numpy_helper.to_array(c) for c in file.graph.initializer if c.data_type == onnx.TensorProto.INT8]
    assert max(int(np.abs(each).max()) for each in numbers) == 63
    assert 2 * 255 * 63 < 2**15
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    opened = ort.InferenceSession(file.SerializeToString(), options, providers=["CPUExecutionProvider"])
    frame = frames(1, seed=3)[0]
    said = dict(
        zip(graph.outputs, opened.run(list(graph.outputs), {k: v.numpy() for k, v in frame.items()}), strict=True)
    )
    for name, value in SimulatedGraph(graph, quantisation).run(frame).items():
        np.testing.assert_allclose(said[name], value, atol=0.05)


@pytest.mark.parametrize("target", TARGETS)
def test_maps_of_zeros_and_a_hot_outlier(made, target):
    """An empty world's ranges are no division by zero; with one huge value all is as exact as its range allows."""
    _, model, graph = made
    nothing = [{"occupancy": torch.zeros_like(frame["occupancy"])} for frame in frames(2)]
    empty = quantised(graph, target, "grid", nothing)
    file = quantised_model(model, graph, empty)
    assert all(np.isfinite(value).all() for value in run(file, nothing[0]).values())
    apart = steps_apart(graph, empty, file, target, nothing[0])
    assert max(apart.values()) <= 1.001
    hot = frames(2)
    hot[0]["occupancy"][0, 0, 0, 0] = 50.0
    chosen = quantised(graph, target, "grid", hot)
    assert 0.1 * 50 / 255 < chosen.scales["occupancy"].step <= 50 / 127
    assert max(steps_apart(graph, chosen, quantised_model(model, graph, chosen), target, hot[0]).values()) <= 1.001


def test_what_is_at_eight_bits(made):
    graph = made[2]
    plan = make_plan(graph)
    heads = {node.name for node in graph.layers() if node.output in graph.outputs}
    assert len(heads) == 3
    assert {node.name for node in plan.layers} == {node.name for node in graph.layers()} - heads
    assert not set(graph.outputs) & set(plan.scale_of)
    for node in graph.nodes:
        if node.op in ("Concat", "Resize"):
            assert len({plan.scale_of[t] for t in (*node.inputs, node.output)}) == 1


@torch.no_grad()
def test_layers_that_are_kept(made):
    _, model, graph = made
    first = next(graph.layers()).name
    quantisation = quantised(graph, kept=(first,))
    # Nobody but it reads the input.
    assert "occupancy" not in quantisation.plan.scale_of
    file = quantised_model(model, graph, quantisation)
    frame = frames(1, seed=3)[0]
    for name, value in run(file, frame).items():
        np.testing.assert_allclose(value, SimulatedGraph(graph, quantisation).run(frame)[name], atol=0.05)


def test_the_answers_are_products_where_channels_are_last(made):
    """As onnxruntime has them at eight bits; a head that is kept has its own form; all say what the simulation does."""
    _, model, graph = made
    heads = [node.inputs[0] for node in graph.layers() if node.output in graph.outputs]
    kept = next(node.name for node in graph.layers() if graph.shown(node) == heads[0])
    frame = frames(1, seed=3)[0]
    for names, products in (((), 3), ((kept,), 2)):
        quantisation = quantised(graph, kept=names)
        file = quantised_model(model, graph, quantisation)
        assert [node.op_type for node in file.graph.node].count("MatMul") == products
        for name, value in run(file, frame).items():
            np.testing.assert_allclose(value, SimulatedGraph(graph, quantisation).run(frame)[name], atol=0.05)


def test_the_form_that_tensorrt_takes(made):
    """It stands in for the engine, which is not to be had here: signed, zero point 0, weights by axis 0, floats out."""
    _, model, graph = made
    file = quantised_model(model, graph, quantised(graph, "tensorrt", "grid"))
    constants = {c.name: onnx.numpy_helper.to_array(c) for c in file.graph.initializer}
    weights = 0
    for node in file.graph.node:
        if node.op_type not in ("QuantizeLinear", "DequantizeLinear"):
            continue
        zero = constants[node.input[2]] if len(node.input) > 2 else np.int8(0)
        assert not zero.any()
        if node.input[0] in constants:
            axis = [a.i for a in node.attribute if a.name == "axis"]
            numbers, steps = constants[node.input[0]], constants[node.input[1]]
            assert numbers.dtype in (np.int8, np.int32)
            assert axis == [0]
            assert steps.shape == numbers.shape[:1]
            weights += numbers.dtype == np.int8
        else:
            assert zero.dtype == np.int8
            assert constants[node.input[1]].ndim == 0
    assert weights == len(make_plan(graph).layers)
    assert all(o.type.tensor_type.elem_type == onnx.TensorProto.FLOAT for o in file.graph.output)
    makers = {node.output[0]: node.op_type for node in file.graph.node}
    assert all(makers[name] == "Conv" for name in graph.outputs)


def test_eight_bits_take_less_than_a_third(made):
    """Of weights; a network of real size is measured in the documentation."""
    _, model, graph = made
    file = quantised_model(model, graph, quantised(graph))

    def weights(proto):
        return sum(len(c.raw_data) for c in proto.graph.initializer if len(c.dims) == 4)

    assert weights(file) < 0.3 * weights(model)


def test_other_operations_are_refused():
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("Softmax", ["x"], ["y"], name="soft")], "g",
        [onnx.helper.make_tensor_value_info("x", 1, [1, 2])], [onnx.helper.make_tensor_value_info("y", 1, [1, 2])],
    )  # fmt: skip
    with pytest.raises(InputError, match="Softmax"):
        read_graph(onnx.helper.make_model(graph))
