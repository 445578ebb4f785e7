"""`densegt train-pl`, from a folder to scores."""

from __future__ import annotations

import json

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("lightning")

from densegt.depth.store import SceneReader, scene_files  # noqa: E402
from densegt.detection.checkpoint import read_task  # noqa: E402

from ....depth.stores import densegt  # noqa: E402
from ...test_train_lss import interrupt  # noqa: E402
from .small import MODEL, POINTRCNN, TINY  # noqa: E402

# Trains, again and again, by the command.
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("train-pl")
    (folder / "tiny.yaml").write_text(json.dumps({**TINY, "augmentation": {"flip": 0.5, "bev_turn_deg": [-20, 20]}}))
    return folder


def train(root, folder, out, *more, depth=True):
    """The same folder twice: its scene is learned from once, and held out once."""
    stores = ("--depth", root / "exact", "--depth", root / "exact") if depth else ()
    options = ("--dataroot", root, "--dataroot", root, *stores, "--out", out, "--config", folder / "tiny.yaml")
    return densegt("train-pl", *options, *more)


@pytest.fixture(scope="module")
def apart(tiny_dataset, folder):
    done = train(tiny_dataset, folder, folder / "apart", "--supervision", "dense")
    assert done.exit_code == 0, done.output
    return folder / "apart", done


def weights(out):
    return torch.load(out / "checkpoints/last.ckpt", weights_only=True)["state_dict"]


def test_what_is_written(apart):
    out, done = apart
    lines = done.stderr.splitlines()
    assert "keyframes to learn from" in lines[0]
    assert [line.split(":")[0] for line in lines[1:]] == ["epoch 1/2", "epoch 2/2"]
    assert {"best.ckpt", "last.ckpt"} <= {p.name for p in (out / "checkpoints").iterdir()}
    about = json.loads((out / "about.json").read_text())
    assert about["config"]["coupling"] == "separate"
    assert about["validation"]["depth MAE m"] > 0


def test_then_together(tiny_dataset, folder, apart, tmp_path):
    first = apart[0] / "checkpoints/last.ckpt"
    options = ("--init", first, "--epochs", 1, "--supervision", "dense")
    frozen = train(tiny_dataset, folder, tmp_path / "frozen", *options, "--freeze-depth")
    together = train(tiny_dataset, folder, tmp_path / "together", *options, "--end-to-end")
    assert frozen.exit_code == together.exit_code == 0, frozen.output + together.output
    assert "beginning with its depth and detector" in frozen.stderr
    before, still, moved = weights(apart[0]), weights(tmp_path / "frozen"), weights(tmp_path / "together")
    depth = [name for name in before if name.startswith("net.depth.")]
    assert depth
    assert all(torch.equal(before[name], still[name]) for name in depth)
    assert not all(torch.equal(before[name], moved[name]) for name in depth)
    assert read_task(tmp_path / "together/checkpoints/best.ckpt").settings.coupling == "end-to-end"


def test_pointrcnn_draws_as_if_never_interrupted(tiny_dataset, folder, tmp_path, monkeypatch):
    """Its points, its regions and how labels are shaken are drawn."""
    from densegt.detection.points.pseudo_lidar.task import PlTask

    (folder / "points.yaml").write_text(json.dumps({**TINY, "model": {**MODEL, "pointrcnn": POINTRCNN}}))
    options = ("--supervision", "dense", "--detector", "pointrcnn", "--config", folder / "points.yaml")
    assert train(tiny_dataset, folder, tmp_path / "whole", *options).exit_code == 0
    interrupt(monkeypatch, PlTask)
    assert train(tiny_dataset, folder, tmp_path / "parts", *options).exit_code != 0
    monkeypatch.undo()
    assert train(tiny_dataset, folder, tmp_path / "parts", *options, "--resume").exit_code == 0
    whole, parts = weights(tmp_path / "whole"), weights(tmp_path / "parts")
    assert all(torch.equal(whole[name], parts[name]) for name in whole)


def test_interrupted_and_resumed_is_as_if_never_interrupted(tiny_dataset, folder, apart, tmp_path, monkeypatch):
    from densegt.detection.points.pseudo_lidar.task import PlTask

    step = PlTask.training_step

    def stop(self, batch, index):
        if self.current_epoch == 1:
            raise KeyboardInterrupt
        return step(self, batch, index)

    monkeypatch.setattr(PlTask, "training_step", stop)
    options = ("--supervision", "dense")
    assert train(tiny_dataset, folder, tmp_path / "out", *options).exit_code != 0
    monkeypatch.undo()
    assert "--resume goes on" in str(train(tiny_dataset, folder, tmp_path / "out", *options).exception)
    done = train(tiny_dataset, folder, tmp_path / "out", *options, "--resume")
    assert done.exit_code == 0, done.output
    one, two = weights(apart[0]), weights(tmp_path / "out")
    for name in one:
        assert torch.equal(one[name], two[name]), name


def test_a_real_lidar_then_scores(tiny_dataset, folder, tmp_path):
    pytest.importorskip("nuscenes.nuscenes")
    done = train(tiny_dataset, folder, tmp_path / "out", "--input", "lidar", "--supervision", "none", depth=False)
    assert done.exit_code == 0, done.output
    checkpoint = tmp_path / "out/checkpoints/best.ckpt"
    assert read_task(checkpoint).net.depth is None
    found = tmp_path / "found"
    done = densegt("predict", "--checkpoint", checkpoint, "--dataroot", tiny_dataset, "--out", found)
    assert done.exit_code == 0, done.output
    scores = json.loads((found / "scores.json").read_text())
    cars = scores["cars"]
    assert 0 <= cars["BEV AP at 0.7"] <= cars["BEV AP at 0.5"] <= cars["BEV AP at 0.3"] <= 1
    assert 0 <= scores["detection"]["nd_score"] <= 1
    assert "depth_gradient" not in scores
    assert json.loads((found / "results.json").read_text())["meta"]["use_lidar"]
    assert not (found / "depth").exists()


def test_predict(tiny_dataset, apart, tmp_path):
    pytest.importorskip("nuscenes.nuscenes")
    out, options = tmp_path / "found", ("--truth", tiny_dataset / "exact", "--pictures", 2, "--device", "cpu")
    options = ("--checkpoint", apart[0] / "checkpoints/best.ckpt", "--dataroot", tiny_dataset, "--out", out, *options)
    done = densegt("predict", *options)
    assert done.exit_code == 0, done.output
    assert "of the depth gradient is on objects" in done.output
    scores = json.loads((out / "scores.json").read_text())
    assert scores["depth"]["all"]["pixels"] > 1000
    assert 0 <= scores["depth_gradient"]["share of points on objects"] < 0.5
    assert list((out / "pictures").glob("*.png"))
    for path in scene_files(out / "depth"):
        for said, exact in zip(SceneReader(path), SceneReader(tiny_dataset / "exact" / path.name), strict=True):
            assert said.depth_m.shape == exact.depth_m.shape
            assert (said.depth_m > 0).mean() > 0.5
    assert "--overwrite" in str(densegt("predict", *options).exception)


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (["--freeze-depth"], "learned nothing"),
        (["--supervision", "none"], "learn from nothing"),
        (["--freeze-depth", "--end-to-end"], "only one of them"),
        (["--resume"], "nothing to resume"),
        (["--init", "nowhere.ckpt"], "no such checkpoint"),
        (["--init", "a", "--resume"], "only one of them"),
        (["--depth", "a"], "--depth is given 3 times"),
        (["--detector", "yolo"], "--detector"),
        (["--config", "nowhere"], "no such configuration"),
    ],
)
def test_bad_options(tiny_dataset, folder, tmp_path, more, says):
    done = train(tiny_dataset, folder, tmp_path / "out", *more)
    assert done.exit_code != 0
    assert says in str(done.exception) + done.output


def test_a_store_that_is_not_named(tiny_dataset, folder, tmp_path):
    done = train(tiny_dataset, folder, tmp_path / "out", "--input", "store", "--supervision", "sparse", depth=False)
    assert "name one with --depth" in str(done.exception)


def test_another_training_s_checkpoint_is_refused(tmp_path):
    from densegt.errors import InputError

    torch.save({"hyper_parameters": {"config": {"model": {}}}, "state_dict": {}}, tmp_path / "other.ckpt")
    with pytest.raises(InputError, match="not a checkpoint of a detector"):
        read_task(tmp_path / "other.ckpt")


def test_weights_of_another_network_are_refused_in_one_line():
    from densegt.errors import InputError
    from densegt.motion_net.checkpoint import shipped_weights

    with pytest.raises(InputError, match="neither run nor quantised") as refused:
        read_task(shipped_weights())
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("name", ["miniature", "full"])
def test_configurations_that_ship(name):
    from densegt.cli.training_options import shipped

    from densegt.configuration import load_config
    from densegt.detection.points.pseudo_lidar.config import PlConfig

    config = load_config(PlConfig, shipped("pl", name), {})
    assert config.epochs > 1
    assert config.model.grid.made().cells > 1000
