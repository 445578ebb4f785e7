"""`densegt quantise` and `densegt predict --engine`, from a checkpoint to boxes."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("lightning")
pytest.importorskip("onnxruntime")
pytest.importorskip("onnxscript")

from densegt.datasets import RecordingPath  # noqa: E402
from densegt.detection.bev.grid import BevGrid  # noqa: E402
from densegt.detection.checkpoint import read_task  # noqa: E402
from densegt.detection.data.labels import Labels  # noqa: E402
from densegt.detection.fit import TrainingSource  # noqa: E402
from densegt.detection.predict import predictions, validation_dataset  # noqa: E402
from densegt.detection.scoring.nuscenes_results import Detections  # noqa: E402
from densegt.quantisation.bev_ap import BevAp  # noqa: E402
from densegt.quantisation.engine import Engine, cpu_flags, milliseconds, slow_here  # noqa: E402
from densegt.quantisation.predict import EngineKeyframes, detections  # noqa: E402
from densegt.quantisation.readers import reader_of  # noqa: E402

from ..depth.stores import densegt  # noqa: E402
from .small import checkpoint  # noqa: E402


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    return checkpoint(tmp_path_factory.mktemp("trained"))


@pytest.fixture(scope="module")
def float_file(trained, tiny_dataset):
    out = trained.parent / "float.onnx"
    done = quantise(trained, tiny_dataset, out, "--method", "float")
    assert done.exit_code == 0, done.output
    return out


def quantise(trained, root, out, *more):
    options = ("--checkpoint", trained, "--dataroot", root, "--out", out)
    return densegt("quantise", *options, *(more or ("--method", "max-min")))


def test_the_float_file_finds_what_torch_finds(trained, float_file, tiny_dataset):
    task = read_task(trained)
    wanted = [
        p.found for p, _ in predictions(task, validation_dataset(task, TrainingSource(RecordingPath(tiny_dataset))))
    ]
    engine = Engine(float_file)
    keyframes = EngineKeyframes(RecordingPath(tiny_dataset).open(), engine.facts["reader"])
    got = list(detections(engine, keyframes))
    assert [g.sample_token for g in got] == [w.sample_token for w in wanted]
    for ours, theirs in zip(got, wanted, strict=True):
        assert len(theirs.scores) > 20
        np.testing.assert_allclose(ours.scores, theirs.scores, atol=1e-4)
        # Answers of first weights are nearly equally likely; their order may differ.
        for box, score in zip(ours.boxes[:20], ours.scores[:20], strict=True):
            near = np.abs(theirs.scores - score) < 2e-4
            assert np.abs(theirs.boxes[near] - box).max(1).min() < 1e-3
        np.testing.assert_allclose(ours.T_global_ref, theirs.T_global_ref)


def test_a_file_at_eight_bits_and_what_it_finds(trained, tiny_dataset, tmp_path):
    out = tmp_path / "eight.onnx"
    done = quantise(trained, tiny_dataset, out, "--method", "full", "--steps", 4, "--frames", 3, "--keep-float", 1)
    assert done.exit_code == 0, done.output
    assert "to calibrate with" in done.stderr
    assert "kept at full precision" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["eight.onnx"]
    facts = Engine(out).facts
    assert facts["config"]["target"] == "cpu"
    assert len(facts["calibration"]) == len(set(facts["calibration"])) > 0
    found = densegt("predict", "--engine", out, "--dataroot", tiny_dataset, "--out", tmp_path / "found", "--no-score")
    assert found.exit_code == 0, found.output
    results = json.loads((tmp_path / "found/results.json").read_text())
    assert results["meta"]["use_lidar"]
    assert sum(map(len, results["results"].values())) > 20
    assert not (tmp_path / "found/parts").exists()
    again = densegt("predict", "--engine", out, "--dataroot", tiny_dataset, "--out", tmp_path / "found")
    assert "--overwrite" in str(again.exception)


def test_scores_are_as_of_a_checkpoint(trained, float_file, tiny_dataset, tmp_path):
    pytest.importorskip("nuscenes.nuscenes")
    done = densegt("predict", "--engine", float_file, "--dataroot", tiny_dataset, "--out", tmp_path / "a")
    assert done.exit_code == 0, done.output
    assert "mAP" in done.output
    by_torch = densegt("predict", "--checkpoint", trained, "--dataroot", tiny_dataset, "--out", tmp_path / "b")
    assert by_torch.exit_code == 0, by_torch.output
    ours, theirs = (json.loads((tmp_path / name / "scores.json").read_text()) for name in "ab")
    assert ours["cars"].keys() == theirs["cars"].keys()
    assert ours["detection"]["boxes"] == theirs["detection"]["boxes"]


def test_it_goes_on_after_an_interruption(float_file, tiny_dataset, tmp_path, monkeypatch):
    options = ("predict", "--engine", float_file, "--dataroot", tiny_dataset, "--out", tmp_path, "--no-score")

    def stop(*given, **more):
        raise KeyboardInterrupt

    monkeypatch.setattr("densegt.quantisation.predict.write_results", stop)
    assert densegt(*options).exit_code != 0
    monkeypatch.undo()
    parts = list((tmp_path / "parts").iterdir())
    assert len(parts) > 0
    # What is done is not done again; another engine's is.
    monkeypatch.setattr(Engine, "run", stop)
    assert densegt(*options).exit_code == 0
    (tmp_path / "results.json").unlink()
    (tmp_path / "parts").mkdir()
    parts[0].write_text(json.dumps({"key": ["another"], "found": []}))
    assert densegt(*options).exit_code != 0


def test_no_torch_is_needed(float_file, tiny_dataset, tmp_path):
    code = (
        "import sys\n"
        "class Refuse:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.split('.')[0] in ('torch', 'lightning'):\n"
        "            raise ImportError(name)\n"
        "sys.meta_path.insert(0, Refuse())\n"
        "from densegt.cli.main import group\n"
        f"group.main(['predict', '--engine', {str(float_file)!r}, '--dataroot', {str(tiny_dataset)!r},"
        f" '--out', {str(tmp_path / 'found')!r}], standalone_mode=False)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "found/results.json").is_file()


def test_what_the_training_held_out_is_not_calibrated_with(tiny_dataset, tmp_path):
    scenes = RecordingPath(tiny_dataset).open().scene_names
    path = checkpoint(tmp_path, held_out={tiny_dataset: scenes})
    done = quantise(path, tiny_dataset, tmp_path / "a.onnx")
    assert "held out" in str(done.exception)


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (["--method", "max-min", "--frames", "0"], "--frames"),
        (["--target", "tpu"], "--target"),
        (["--format", "kitti-360"], "data_3d_raw"),
    ],
)
def test_bad_options(trained, tiny_dataset, tmp_path, more, says):
    done = quantise(trained, tiny_dataset, tmp_path / "a.onnx", *more)
    assert done.exit_code != 0
    assert says in str(done.exception) + done.output


def test_what_cannot_be_quantised_is_told(tiny_dataset, trained, tmp_path):
    points = checkpoint(tmp_path / "points", detector="pointrcnn")
    assert "point by point" in str(quantise(points, tiny_dataset, tmp_path / "a.onnx").exception)
    small = {"voxel_m": 0.5, "layers": 4, "sweeps": 0, "widths": [4, 4], "channels": 8}
    voxels = checkpoint(tmp_path / "voxels", detector="centerpoint-voxel", centerpoint_voxel=small)
    assert "sparse, which no ONNX" in str(quantise(voxels, tiny_dataset, tmp_path / "a.onnx").exception)
    store = checkpoint(tmp_path / "store", input="store")
    assert "store depth" in str(quantise(store, tiny_dataset, tmp_path / "a.onnx").exception)
    assert ".onnx" in str(quantise(trained, tiny_dataset, tmp_path / "a.bin").exception)
    (tmp_path / "a.onnx").touch()
    assert "--overwrite" in str(quantise(trained, tiny_dataset, tmp_path / "a.onnx").exception)
    opened = densegt("predict", "--engine", tmp_path / "a.onnx", "--dataroot", tiny_dataset, "--out", tmp_path / "o")
    assert "no engine that onnxruntime can open" in str(opened.exception)
    neither = densegt("predict", "--dataroot", tiny_dataset, "--out", tmp_path / "o")
    assert "either" in str(neither.exception) + neither.output


def test_a_processor_without_vnni_is_told_so_and_not_failed(monkeypatch, float_file, tiny_dataset, tmp_path):
    assert slow_here(()) is None
    assert slow_here(("avx2", "avx512_vnni")) is None
    assert "no VNNI" in slow_here(("avx2", "avx512f"))
    assert set(cpu_flags()) <= {
        "avx2",
        "avx512f",
        "avx512_vnni",
        "avx_vnni",
        "avx512_bf16",
        "amx_int8",
        "asimddp",
        "i8mm",
    }
    monkeypatch.setattr("densegt.quantisation.engine.cpu_flags", lambda: ("avx2",))
    options = ("--engine", float_file, "--dataroot", tiny_dataset, "--out", tmp_path, "--no-score")
    done = densegt("predict", *options)
    assert done.exit_code == 0
    assert "no VNNI" in done.stderr


def test_engines_are_timed_in_turns(float_file):
    engine = Engine(float_file)
    given = {name: np.zeros(shape, np.float32) for name, shape in engine.shapes.items()}
    assert milliseconds({"a": engine, "b": engine}, [given], turns=2).keys() == {"a", "b"}


def test_centerpoint_s_file_finds_what_torch_finds(tiny_dataset, tmp_path):
    """Pillars of three sweeps, laid out without torch."""
    small = {"pillar_m": 0.5, "sweeps": 2, "features": 12, "widths": [12, 16], "blocks": 1, "channels": 12}
    path = checkpoint(tmp_path / "centre", detector="centerpoint", centerpoint=small)
    out = tmp_path / "centre.onnx"
    done = quantise(path, tiny_dataset, out, "--method", "float", "--frames", 2)
    assert done.exit_code == 0, done.output
    task, engine = read_task(path), Engine(out)
    dataset = validation_dataset(task, TrainingSource(RecordingPath(tiny_dataset)))
    keyframes = EngineKeyframes(RecordingPath(tiny_dataset).open(), engine.facts["reader"])
    reader = reader_of(engine.facts["reader"])
    last = len(keyframes) - 1
    batch = torch.utils.data.default_collate([dataset[last]])
    pillars = task.net.detector.pillars(task.net.points(batch, batch["depth_m"])).detach()
    ours = reader.inputs(keyframes.points(keyframes.keyframes[last]))
    assert (pillars != 0).any()
    np.testing.assert_allclose(ours["pillars"], pillars, atol=1e-3)
    with torch.no_grad():
        wanted = task.prediction(batch).found
    got = reader.found(engine.run(ours), wanted.sample_token, wanted.T_global_ref)
    assert len(wanted.scores) > 5
    np.testing.assert_allclose(got.scores[:5], wanted.scores[:5], atol=1e-3)
    eight = quantise(path, tiny_dataset, tmp_path / "eight.onnx", "--frames", 2, "--target", "tensorrt", "--steps", 2)
    assert eight.exit_code == 0, eight.output


# Six files are made and run, twice asked for.
@pytest.mark.slow
def test_a_report_compares_the_methods(trained, tiny_dataset, tmp_path):
    out, folder = tmp_path / "a.onnx", tmp_path / "compared"
    options = ("--frames", 2, "--steps", 2, "--report", folder)
    done = quantise(trained, tiny_dataset, out, *options, "--score-on", tiny_dataset)
    assert "is calibrated with" in str(done.exception)
    assert not out.exists()
    # A world of which it is not known that it is the same: tokens of its own.
    other = tmp_path / "other"
    shutil.copytree(tiny_dataset, other)
    for table in other.glob("v1.0-*/*.json"):
        table.write_text(re.sub(r'"([0-9a-f]{32})"', lambda found: f'"{found[1][::-1]}"', table.read_text()))
    done = quantise(trained, tiny_dataset, out, *options, "--score-on", other)
    assert done.exit_code == 0, done.output
    summary = json.loads((folder / "quantised.json").read_text())
    assert list(summary["methods"]) == ["float", "max-min", "percentile", "grid", "rounding", "full"]
    for row in summary["methods"].values():
        assert row["ap"].keys() == summary["scored"]["boxes"].keys()
        assert row["ms"] > 0
    assert summary["methods"]["full"]["MB"] < summary["methods"]["float"]["MB"]
    page = (folder / "index.html").read_text()
    assert all(word in page for word in ("percentile", "car", "0-15 m", "header"))
    assert out.read_bytes() == (folder / "full.onnx").read_bytes()
    # What is made is not made again.
    stamps = {path.name: path.stat().st_mtime_ns for path in folder.glob("*.onnx")}
    again = quantise(trained, tiny_dataset, out, *options, "--score-on", other, "--overwrite")
    assert again.exit_code == 0, again.output
    assert stamps == {path.name: path.stat().st_mtime_ns for path in folder.glob("*.onnx")}


def test_ap_is_told_by_class_and_range():
    grid = BevGrid(-20, 20, -20, 20, 1.0)
    boxes = np.array([[x, 0.0, 0, 4, 2, 1.5, 0, 0, 0] for x in (5.0, 18.0, 30.0)])
    labels = Labels(boxes, np.array([0, 0, 0]), np.full(3, -1))
    found = Detections("a", boxes[:1], np.array([0]), np.array([0]), np.array([0.9]), np.eye(4))
    sums = BevAp(grid)
    sums.update(found, labels)
    # The third lies beyond the grid.
    assert sums.counts() == {"car": 2}
    assert sums.compute() == {"car": {"all": 0.5, "0-15 m": 1.0, "15-30 m": 0.0}}
