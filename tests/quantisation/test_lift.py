"""Lift-Splat as two graphs: without torch the same as with it, and in TensorRT's form."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("lightning")
onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
pytest.importorskip("onnxscript")

from densegt.datasets import RecordingPath  # noqa: E402
from densegt.detection.bev.losses import answer_of  # noqa: E402
from densegt.detection.bev.task import LssTask  # noqa: E402
from densegt.detection.checkpoint import read_task  # noqa: E402
from densegt.detection.fit import TrainingSource  # noqa: E402
from densegt.detection.predict import validation_dataset  # noqa: E402
from densegt.quantisation.lift_engine import laid_down, open_engine, second_of  # noqa: E402
from densegt.quantisation.predict import EngineKeyframes  # noqa: E402
from densegt.quantisation.readers import reader_of  # noqa: E402

from ..depth.stores import densegt  # noqa: E402
from ..detection.bev.small import config  # noqa: E402


def checkpoint(folder, root, **changes):
    """A Lift-Splat of first weights whose batch norm has seen a world."""
    torch.manual_seed(0)
    settings = config("sparse", **changes)
    task = LssTask(settings.model_dump())
    task.net.centres.heat[-1].bias.data.fill_(-3.0)
    task.net.centres.heat[-1].weight.data *= 3
    if not changes:
        dataset = validation_dataset(task, TrainingSource(RecordingPath(root)))
        for module in task.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.momentum = None
        task.train()
        with torch.no_grad():
            answer_of(task.net, torch.utils.data.default_collate([dataset[0], dataset[1]]))
    path = folder / "checkpoints" / "best.ckpt"
    path.parent.mkdir(parents=True)
    torch.save({"hyper_parameters": {"config": settings.model_dump()}, "state_dict": task.state_dict()}, path)
    (folder / "about.json").write_text(json.dumps({"data": [{"dataroot": root.name, "held_out": []}]}))
    return path


@pytest.fixture(scope="module")
def trained(tmp_path_factory, tiny_dataset):
    return checkpoint(tmp_path_factory.mktemp("lss"), tiny_dataset)


def quantise(trained, root, out, *more):
    done = densegt("quantise", "--checkpoint", trained, "--dataroot", root, "--out", out, "--frames", 2, *more)
    assert done.exit_code == 0, done.output
    return out


@pytest.fixture(scope="module")
def float_file(trained, tiny_dataset):
    return quantise(trained, tiny_dataset, trained.parent / "float.onnx", "--method", "float")


def asked(engine, root):
    keyframes = EngineKeyframes(RecordingPath(root).open(), engine.facts["reader"])
    return keyframes, keyframes.inputs(keyframes.keyframes[1])


@pytest.fixture(scope="module")
def by_torch(trained, tiny_dataset):
    task = read_task(trained)
    batch = torch.utils.data.default_collate([validation_dataset(task, TrainingSource(RecordingPath(tiny_dataset)))[1]])
    with torch.no_grad():
        return task, batch, answer_of(task.net, batch)


def test_the_float_files_say_what_torch_says(float_file, tiny_dataset, by_torch):
    task, batch, wanted = by_torch
    engine = open_engine(float_file)
    keyframes, given = asked(engine, tiny_dataset)
    said = engine.run(given)
    assert wanted.centres.heat.std() > 0.05
    for name in ("heat", "values", "attributes"):
        np.testing.assert_allclose(said[name], getattr(wanted.centres, name), atol=1e-4)
    np.testing.assert_allclose(said["vehicles"][:, 0], wanted.vehicles, atol=1e-4)
    keyframe = keyframes.keyframes[1]
    got = reader_of(engine.facts["reader"]).found(said, keyframe.sample_token, keyframe.T_global_ego)
    with torch.no_grad():
        found = task.prediction(batch).found
    assert len(got.scores) == len(found.scores) > 20
    np.testing.assert_allclose(got.scores, found.scores, atol=1e-4)
    np.testing.assert_allclose(got.T_global_ref, found.T_global_ref)


def test_samples_lie_where_torch_has_them(float_file, tiny_dataset, by_torch):
    """And laid down they are the same sums."""
    task, batch, wanted = by_torch
    _, given = asked(open_engine(float_file), tiny_dataset)
    np.testing.assert_allclose(
        given["images"], (batch["images"][0] - task.net.backbone.mean) / task.net.backbone.std, atol=1e-5
    )
    samples = wanted.samples
    bev = task.net.lift(samples, batch["K"], batch["T_ref_cam"]).detach()
    pixels = torch.cat([wanted.logits, samples.features], 1).detach().numpy()
    ours = laid_down(pixels, given["cells"], wanted.logits.shape[1], bev.shape[-2:])
    assert (ours != 0).mean() > 0.1
    np.testing.assert_allclose(ours, bev, atol=1e-5)


@pytest.mark.parametrize("target", ["cpu", "tensorrt"])
def test_eight_bits_say_nearly_the_same(trained, tiny_dataset, float_file, tmp_path, target):
    file = quantise(trained, tiny_dataset, tmp_path / "a.onnx", "--method", "grid", "--target", target)
    engine, before = open_engine(file, exact=True), open_engine(float_file)
    _, given = asked(engine, tiny_dataset)
    said, wanted = engine.run(given), before.run(given)
    for name, value in wanted.items():
        off = np.sqrt(((said[name] - value) ** 2).mean())
        assert 0 < off < 0.35 * value.std(), name
    assert second_of(file).stat().st_size < 0.6 * second_of(float_file).stat().st_size


def test_the_form_that_tensorrt_takes(trained, tiny_dataset, tmp_path):
    """Of both files: signed, zero point 0, weights by axis 0, floats out."""
    file = quantise(trained, tiny_dataset, tmp_path / "a.onnx", "--method", "max-min", "--target", "tensorrt")
    for path in (file, second_of(file)):
        model = onnx.load(path)
        constants = {c.name: onnx.numpy_helper.to_array(c) for c in model.graph.initializer}
        pairs = [n for n in model.graph.node if n.op_type in ("QuantizeLinear", "DequantizeLinear")]
        assert pairs
        for node in pairs:
            assert len(node.input) < 3 or not constants[node.input[2]].any()
            assert len(node.input) < 3 or constants[node.input[2]].dtype == np.int8
            if node.input[0] in constants:
                assert [a.i for a in node.attribute if a.name == "axis"] == [0]
        assert all(o.type.tensor_type.elem_type == onnx.TensorProto.FLOAT for o in model.graph.output)


def test_it_is_run_without_torch(float_file, tiny_dataset, tmp_path):
    code = (
        "import sys\n"
        "class Refuse:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.split('.')[0] in ('torch', 'lightning'):\n"
        "            raise ImportError(name)\n"
        "sys.meta_path.insert(0, Refuse())\n"
        "from densegt.cli.main import group\n"
        f"group.main(['predict', '--engine', {str(float_file)!r}, '--dataroot', {str(tiny_dataset)!r},"
        f" '--out', {str(tmp_path / 'found')!r}, '--no-score'], standalone_mode=False)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    results = json.loads((tmp_path / "found/results.json").read_text())
    assert results["meta"]["use_camera"]
    assert not results["meta"]["use_lidar"]
    assert sum(map(len, results["results"].values())) > 20


def test_files_that_are_not_of_one_another_are_refused(trained, float_file, tiny_dataset, tmp_path):
    alone = tmp_path / "alone.onnx"
    shutil.copy(float_file, alone)
    options = ("predict", "--dataroot", tiny_dataset, "--out", tmp_path / "found")
    assert "alone.bev.onnx: missing" in str(densegt(*options, "--engine", alone).exception)
    other = quantise(trained, tiny_dataset, tmp_path / "other.onnx", "--method", "max-min")
    shutil.copy(second_of(other), second_of(alone))
    assert "not the one that was written with alone.onnx" in str(densegt(*options, "--engine", alone).exception)


def test_what_of_lift_splats_cannot_be_quantised(tiny_dataset, tmp_path):
    path = checkpoint(tmp_path / "aware", tiny_dataset, camera_aware=True)
    done = densegt("quantise", "--checkpoint", path, "--dataroot", tiny_dataset, "--out", tmp_path / "a.onnx")
    assert "not camera_aware" in str(done.exception)


# Learns both graphs.
@pytest.mark.slow
def test_learned(trained, tiny_dataset, tmp_path):
    out = quantise(trained, tiny_dataset, tmp_path / "a.onnx", "--method", "full", "--steps", 3, "--keep-float", 1)
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["a.bev.onnx", "a.onnx"]
    assert open_engine(out).facts["config"]["method"] == "full"
