"""`densegt train-completion`, from stores to weights that `densegt complete` opens."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch")

from densegt.completion.checkpoint import read_network  # noqa: E402
from densegt.depth.depth_map import Source  # noqa: E402
from densegt.depth.store import SceneReader, scene_files  # noqa: E402

from ..depth.stores import camera, densegt, write_store  # noqa: E402
from .streets import HEIGHT_PX, WIDTH_PX, another_street  # noqa: E402

# Trains, again and again, by the command.
pytestmark = pytest.mark.slow

SIZE = (WIDTH_PX, HEIGHT_PX)
TINY = {
    "batch": 2, "crop": [48, 64], "draws": 1, "epochs": 2, "widths": [8, 12], "blocks": [0, 1], "keep_images": 20,
    "loader_processes": 0, "threads": 1, "validation_images": 4,
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two scenes of four images: accumulated depth that knows half, and exact depth."""
    root = tmp_path_factory.mktemp("streets")
    for scene in ("scene-a", "scene-b"):
        half, whole = [], []
        for n in range(4):
            cam = camera(sample=f"{scene}-{n}", size=SIZE, timestamp_us=1000 * n)
            image, depth = another_street(n + (10 if scene == "scene-b" else 0))
            path = root / "data" / cam.filename
            path.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(path), image[..., ::-1])
            kept = np.random.default_rng(n).random(depth.shape) < 0.5
            half.append((cam, np.where(kept, depth, 0), None))
            whole.append((cam, depth, None))
        write_store(root / "depth", half, scene=scene)
        write_store(root / "exact", whole, scene=scene)
    (root / "tiny.yaml").write_text(json.dumps(TINY))
    return root


def train(folder, out, *more, config="tiny.yaml"):
    return densegt(
        "train-completion", "--dataroot", folder / "data", "--depth", folder / "depth", "--out", out,
        "--config", folder / config, *more,
    )  # fmt: skip


@pytest.fixture(scope="module")
def trained(folder, tmp_path_factory):
    out = tmp_path_factory.mktemp("trained") / "out"
    done = train(folder, out, "--truth", folder / "exact")
    assert done.exit_code == 0, done.output
    return out, done


def test_what_is_written(folder, trained):
    out, done = trained
    assert done.stderr.splitlines()[0] == "4 images to learn from, 4 held out"
    assert [line.split(":")[0] for line in done.stderr.splitlines()[1:]] == ["epoch 1/2", "epoch 2/2"]
    assert str(out / "network.safetensors") in done.stdout
    names = {p.name for p in (out / "checkpoints").iterdir()}
    assert names - {"best.ckpt.before"} == {
        "best.ckpt", "last.ckpt", "last.ckpt.before",
    }  # fmt: skip
    assert list((out / "tensorboard").glob("events.*"))
    about = json.loads((out / "network.json").read_text())
    assert about["config"]["epochs"] == 2
    assert about["data"] == [{"dataroot": "data", "simulated": None, "learned": 4, "held_out": 4}]
    assert about["validation"]["accumulated/network RMSE m"] > 0
    best, last = (read_network(out / name) for name in ("network.safetensors", "checkpoints/last.ckpt"))
    assert best.shape == last.shape
    assert any(parameter.any() for parameter in last.head.parameters()), "something was learned"


def test_complete_opens_it(folder, trained, tmp_path):
    for weights in ("network.safetensors", "checkpoints/last.ckpt"):
        out = tmp_path / weights.replace("/", "-")
        done = densegt(
            "complete", "--dataroot", folder / "data", "--depth", folder / "depth", "--out", out,
            "--method", "network", "--checkpoint", trained[0] / weights,
        )  # fmt: skip
        assert done.exit_code == 0, done.output
    for path in scene_files(out):
        for before, after in zip(SceneReader(folder / "depth" / path.name), SceneReader(path), strict=True):
            own = (after.source != Source.COMPLETED) & (after.depth_m > 0)
            np.testing.assert_array_equal(after.depth_m[own], before.depth_m[own])
            assert own.sum() > 0.9 * (before.depth_m > 0).sum()
            assert ((after.layers["uncertainty"] > 0) == (after.depth_m > 0)).all()


def test_the_same_seed_gives_the_same_weights(folder, trained, tmp_path):
    assert train(folder, tmp_path / "again", "--truth", folder / "exact").exit_code == 0
    assert train(folder, tmp_path / "other", "--truth", folder / "exact", "--seed", 5).exit_code == 0
    names = (trained[0], tmp_path / "again", tmp_path / "other")
    one, again, other = (read_network(out / "checkpoints/last.ckpt").state_dict() for out in names)
    assert all(torch.equal(one[name], again[name]) for name in one)
    assert not all(torch.equal(one[name], other[name]) for name in one)


def test_interrupted_and_resumed_is_as_if_never_interrupted(folder, trained, tmp_path, monkeypatch):
    from densegt.completion.task import CompletionTask

    step = CompletionTask.training_step

    def stop(self, batch, index):
        if self.current_epoch == 1:
            raise KeyboardInterrupt
        return step(self, batch, index)

    monkeypatch.setattr(CompletionTask, "training_step", stop)
    options = ("--truth", folder / "exact")
    assert train(folder, tmp_path / "out", *options).exit_code != 0
    assert not (tmp_path / "out" / "network.safetensors").exists()
    monkeypatch.undo()
    refused = train(folder, tmp_path / "out", *options)
    assert refused.exception is not None
    assert "--resume goes on" in str(refused.exception)
    assert "seed 0, not 7" in str(train(folder, tmp_path / "out", *options, "--resume", "--seed", 7).exception)
    done = train(folder, tmp_path / "out", *options, "--resume")
    assert done.exit_code == 0, done.output
    one, two = (read_network(out / "checkpoints/last.ckpt").state_dict() for out in (trained[0], tmp_path / "out"))
    for name in one:
        torch.testing.assert_close(one[name], two[name], rtol=0, atol=0)


def test_without_truth_the_accumulated_depth_is_the_target(folder, tmp_path):
    (folder / "one.yaml").write_text(json.dumps({**TINY, "epochs": 1}))
    done = train(folder, tmp_path / "out", config="one.yaml")
    assert done.exit_code == 0, done.output


def test_init_begins_with_weights(folder, trained, tmp_path):
    (folder / "still.yaml").write_text(json.dumps({**TINY, "epochs": 1, "learning_rate": 1e-12, "weight_decay": 0}))
    first = trained[0] / "network.safetensors"
    done = train(folder, tmp_path / "out", "--init", first, config="still.yaml")
    assert done.exit_code == 0, done.output
    one, two = (read_network(path).state_dict() for path in (first, tmp_path / "out" / "network.safetensors"))
    for name in one:
        torch.testing.assert_close(one[name], two[name], rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (["--truth", "missing"], "no such folder"),
        (["--truth", "a", "--truth", "b"], "--truth is given 2 times"),
        (["--resume"], "nothing to resume"),
        (["--init", "nowhere.safetensors"], "no such checkpoint"),
        (["--init", "a", "--resume"], "only one of them"),
        (["--epochs", "0"], "--epochs"),
        (["--devices", "many"], "devices many"),
    ],
)
def test_bad_options(folder, tmp_path, more, says):
    done = train(folder, tmp_path / "out", *more)
    assert done.exit_code != 0
    assert says in str(done.exception) + done.output


def test_input_of_another_recording_is_refused(folder, tmp_path):
    cam = camera(sample="elsewhere", size=SIZE)
    write_store(tmp_path / "sweeps", [(cam, another_street(0)[1], None)], scene="scene-a")
    done = train(folder, tmp_path / "out", "--input", tmp_path / "sweeps")
    assert "no image in common" in str(done.exception)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["miniature", "full"])
def test_configurations_that_ship(name):
    from densegt.cli.train_completion import _shipped

    from densegt.completion.train_config import TrainConfig
    from densegt.configuration import load_config

    assert load_config(TrainConfig, _shipped(name), {}).epochs > 1
