"""`densegt train-lss` and `densegt predict`, from a folder to scores."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("lightning")

from click.testing import CliRunner  # noqa: E402
from densegt.cli.main import group  # noqa: E402

from densegt.depth.store import SceneReader, scene_files  # noqa: E402
from densegt.detection.checkpoint import read_task  # noqa: E402

from ..depth.stores import densegt  # noqa: E402
from .bev.small import SIZE  # noqa: E402

# Trains, again and again, by the command.
pytestmark = pytest.mark.slow

TINY = {
    "batch": 2, "epochs": 2, "loader_processes": 0, "threads": 1, "min_radius": 1, "keep_images": 50,
    "model": {
        "size": SIZE, "stride": 8, "backbone_widths": [8, 8, 8, 8], "features": 8, "context": 8, "depth_width": 8,
        "bins": {"min_m": 2, "max_m": 58, "count": 8}, "samples": 4,
        "grid": {"half_m": 24, "cell_m": 2, "z_min_m": -3, "z_max_m": 5},
        "bev_widths": [8, 8], "bev_blocks": 1, "bev_channels": 8,
    },
    "augmentation": {"scale": [0.9, 1.1], "flip": 0.5, "shift": True, "bev_turn_deg": [-20, 20], "bev_flip": 0.5},
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("train-lss")
    (folder / "tiny.yaml").write_text(json.dumps(TINY))
    return folder


def train(root, folder, out, *more, config="tiny.yaml"):
    """The same folder twice: its scene is learned from once, and held out once."""
    return densegt(
        "train-lss", "--dataroot", root, "--dataroot", root, "--depth", root / "exact", "--depth", root / "exact",
        "--out", out, "--config", folder / config, *more,
    )  # fmt: skip


@pytest.fixture(scope="module")
def trained(tiny_dataset, folder):
    done = train(tiny_dataset, folder, folder / "out", "--supervision", "dense")
    assert done.exit_code == 0, done.output
    return folder / "out", done


def test_what_is_written(trained):
    out, done = trained
    lines = done.stderr.splitlines()
    assert "keyframes to learn from" in lines[0]
    assert [line.split(":")[0] for line in lines[1:]] == ["epoch 1/2", "epoch 2/2"]
    names = {p.name for p in (out / "checkpoints").iterdir()}
    assert {"best.ckpt", "last.ckpt", "last.ckpt.before"} == names - {"best.ckpt.before"}
    assert list((out / "tensorboard").glob("events.*"))
    about = json.loads((out / "about.json").read_text())
    assert about["config"]["supervision"] == "dense"
    assert about["validation"]["depth MAE m"] > 0
    assert read_task(out / "checkpoints" / "best.ckpt").settings.model.bins.count == 8


def weights(out):
    return torch.load(out / "checkpoints/last.ckpt", weights_only=True)["state_dict"]


def interrupt(monkeypatch, task):
    """Let a training stop in its second epoch, after it has drawn something."""
    step = task.training_step

    def stop(self, batch, index):
        if self.current_epoch == 1:
            torch.rand(7)
            raise KeyboardInterrupt
        return step(self, batch, index)

    monkeypatch.setattr(task, "training_step", stop)


def test_draws_of_a_resumed_training_are_those_of_an_uninterrupted_one(tiny_dataset, folder, tmp_path, monkeypatch):
    from densegt.detection.bev.task import LssTask

    options = ("--supervision", "dense", "--sampling", "pdf", "--samples", "6")
    assert train(tiny_dataset, folder, tmp_path / "whole", *options).exit_code == 0
    interrupt(monkeypatch, LssTask)
    assert train(tiny_dataset, folder, tmp_path / "parts", *options).exit_code != 0
    monkeypatch.undo()
    assert train(tiny_dataset, folder, tmp_path / "parts", *options, "--resume").exit_code == 0
    whole, parts = weights(tmp_path / "whole"), weights(tmp_path / "parts")
    assert all(torch.equal(whole[name], parts[name]) for name in whole)


def with_rows(root, out, table, edit):
    """A copy of a recording, of whose table each row is edited; all other files are links."""
    shutil.copytree(root / "v1.0-mini", out / "v1.0-mini")
    for name in ("samples", "sweeps", "exact"):
        (out / name).symlink_to(root / name)
    path = out / "v1.0-mini" / f"{table}.json"
    rows = json.loads(path.read_text())
    for row in rows:
        edit(row)
    path.write_text(json.dumps(rows))
    return out


def own_names(row):
    row["name"] = row["name"].split(".")[-1].capitalize()


def without_points(row):
    row.update(num_lidar_pts=0, num_radar_pts=0)


def far_away(row):
    row["translation"][0] = 9e3


@pytest.mark.parametrize(
    ("table", "edit", "says"),
    [
        ("category", own_names, ["in no known category", "Car", "categories: {", "pedestrian"]),
        ("sample_annotation", without_points, ["too few points", "min_points: 0"]),
        ("sample_annotation", far_away, ["out of range"]),
    ],
)
def test_training_without_one_positive_is_refused(tiny_dataset, folder, tmp_path, table, edit, says):
    root = with_rows(tiny_dataset, tmp_path / "world", table, edit)
    done = train(root, folder, tmp_path / "out", "--supervision", "dense", "--epochs", 1)
    assert done.exit_code != 0
    said = str(done.exception)
    assert said.startswith("no box to learn from: 0 of ")
    assert all(part in said for part in says), said
    assert not (tmp_path / "out").exists()


def test_own_category_names_are_mapped(tiny_dataset, folder, tmp_path):
    root = with_rows(tiny_dataset, tmp_path / "world", "category", own_names)
    (folder / "mapped.yaml").write_text(json.dumps({**TINY, "categories": {"Car": "car"}}))
    done = train(root, folder, tmp_path / "out", "--supervision", "dense", "--epochs", 1, config="mapped.yaml")
    assert done.exit_code == 0, done.output
    assert "in no known category" in done.stderr
    checkpoint = tmp_path / "out/checkpoints/best.ckpt"
    done = densegt("predict", "--checkpoint", checkpoint, "--dataroot", root, "--out", tmp_path / "found")
    assert done.exit_code == 0, done.output
    counts = json.loads((tmp_path / "found/scores.json").read_text())["detection"]["boxes"]
    assert counts["car"] > 0 == counts["pedestrian"]
    (folder / "wrong.yaml").write_text(json.dumps({**TINY, "categories": {"Car": "auto"}}))
    done = train(root, folder, tmp_path / "other", config="wrong.yaml")
    assert "auto is no class" in str(done.exception)


def test_a_second_training_in_a_folder_is_refused(tiny_dataset, folder, trained, tmp_path):
    from densegt.training.sole_writer import sole_writer

    with sole_writer(tmp_path / "out", "training"):
        done = train(tiny_dataset, folder, tmp_path / "out", "--supervision", "dense")
    assert "another training is at it" in str(done.exception)
    checkpoint = trained[0] / "checkpoints/best.ckpt"
    with sole_writer(tmp_path / "found", "prediction"):
        done = densegt("predict", "--checkpoint", checkpoint, "--dataroot", tiny_dataset, "--out", tmp_path / "found")
    assert "another prediction is at it" in str(done.exception)


def test_a_full_disk_is_one_line(tiny_dataset, folder, tmp_path, monkeypatch):
    def full(checkpoint, path):
        raise OSError(28, "No space left on device", str(path.parent))

    monkeypatch.setattr("densegt.training.checkpoint_file._write", full)
    roots = ["--dataroot", str(tiny_dataset), "--depth", str(tiny_dataset / "exact")] * 2
    options = ["--out", str(tmp_path / "out"), "--config", str(folder / "tiny.yaml"), "--supervision", "dense"]
    done = CliRunner().invoke(group, ["train-lss", *roots, *options], standalone_mode=False, catch_exceptions=False)
    assert done.return_value == 1
    assert done.stderr.splitlines()[-1].endswith("checkpoints: No space left on device; --resume goes on")
    assert "Traceback" not in done.output
    assert list((tmp_path / "out/checkpoints").iterdir()) == []


def test_interrupted_and_resumed_is_as_if_never_interrupted(tiny_dataset, folder, trained, tmp_path, monkeypatch):
    from densegt.detection.bev.task import LssTask

    step = LssTask.training_step

    def stop(self, batch, index):
        if self.current_epoch == 1:
            raise KeyboardInterrupt
        return step(self, batch, index)

    monkeypatch.setattr(LssTask, "training_step", stop)
    options = ("--supervision", "dense")
    assert train(tiny_dataset, folder, tmp_path / "out", *options).exit_code != 0
    monkeypatch.undo()
    refused = train(tiny_dataset, folder, tmp_path / "out", *options)
    assert "--resume goes on" in str(refused.exception)
    other = train(tiny_dataset, folder, tmp_path / "out", *options, "--resume", "--bins", "LID")
    assert "was trained with model" in str(other.exception)
    done = train(tiny_dataset, folder, tmp_path / "out", *options, "--resume")
    assert done.exit_code == 0, done.output
    one, two = (
        torch.load(out / "checkpoints/last.ckpt", weights_only=True)["state_dict"]
        for out in (trained[0], tmp_path / "out")
    )
    for name in one:
        assert torch.equal(one[name], two[name]), name


@pytest.mark.parametrize(
    "options",
    [
        ("--supervision", "none", "--bins", "SID", "--sampling", "pdf", "--samples", "6"),
        ("--supervision", "sparse", "--bins", "LID", "--sampling", "offset", "--precision", "bf16-mixed"),
    ],
    ids=["none", "sparse"],
)
def test_options(tiny_dataset, folder, tmp_path, options):
    done = train(tiny_dataset, folder, tmp_path / "out", *options, "--epochs", 1)
    assert done.exit_code == 0, done.output
    settings = read_task(tmp_path / "out" / "checkpoints" / "best.ckpt").settings
    assert settings.supervision == options[1]
    assert settings.model.bins.kind == options[3]
    assert settings.model.bins.max_m == 58
    assert settings.model.sampling == options[5]


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (["--resume"], "nothing to resume"),
        (["--init", "nowhere.ckpt"], "no such checkpoint"),
        (["--init", "a", "--resume"], "only one of them"),
        (["--bins", "XID"], "--bins"),
        (["--devices", "many"], "devices many"),
        (["--depth", "a"], "--depth is given 3 times"),
        (["--config", "nowhere"], "no such configuration"),
    ],
)
def test_bad_options(tiny_dataset, folder, tmp_path, more, says):
    done = train(tiny_dataset, folder, tmp_path / "out", *more)
    assert done.exit_code != 0
    assert says in str(done.exception) + done.output


def test_a_lone_scene_is_refused(tiny_dataset, folder, tmp_path):
    done = densegt("train-lss", "--dataroot", tiny_dataset, "--out", tmp_path, "--config", folder / "tiny.yaml")
    assert "1 scenes, none of which would be held out" in str(done.exception)
    done = densegt(
        "train-lss", "--dataroot", tiny_dataset, "--out", tmp_path, "--config", folder / "tiny.yaml",
        "--supervision", "dense",
    )  # fmt: skip
    assert done.exit_code != 0


def test_predict(tiny_dataset, trained, tmp_path):
    pytest.importorskip("nuscenes.nuscenes")
    out, checkpoint = tmp_path / "found", trained[0] / "checkpoints" / "best.ckpt"
    options = ("--checkpoint", checkpoint, "--dataroot", tiny_dataset, "--out", out, "--truth", tiny_dataset / "exact")
    done = densegt("predict", *options, "--pictures", 2, "--device", "cpu")
    assert done.exit_code == 0, done.output
    results = json.loads((out / "results.json").read_text())
    scores = json.loads((out / "scores.json").read_text())
    assert len(results["results"]) == scores["keyframes"]
    assert set(results["meta"]) == {"use_camera", "use_lidar", "use_radar", "use_map", "use_external"}
    assert 0 <= scores["vehicles"]["everywhere"] <= scores["vehicles"]["best fixed map"] <= 1
    assert scores["depth"]["all"]["pixels"] > 1000
    assert len(list((out / "pictures").glob("*.png"))) >= 2
    for path in scene_files(out / "depth"):
        for said, exact in zip(SceneReader(path), SceneReader(tiny_dataset / "exact" / path.name), strict=True):
            assert said.depth_m.shape == exact.depth_m.shape
            np.testing.assert_array_equal(said.K, exact.K)
            known = said.depth_m > 0
            assert known.mean() > 0.5
            assert (said.depth_m[known] >= 2).all()
            assert ((said.layers["uncertainty"] > 0) <= known).all()
    assert densegt("evaluate", "--pred", out / "depth", "--truth", tiny_dataset / "exact").exit_code == 0
    assert "--overwrite" in str(densegt("predict", *options).exception)
    assert "device gpu9" in str(densegt("predict", *options, "--overwrite", "--device", "gpu9").exception)


def test_predict_refuses_what_is_no_checkpoint(tiny_dataset, tmp_path):
    (tmp_path / "not.ckpt").write_bytes(b"nothing of the kind")
    done = densegt(
        "predict", "--checkpoint", tmp_path / "not.ckpt", "--dataroot", tiny_dataset, "--out", tmp_path / "o"
    )
    assert "not.ckpt: cannot be read" in str(done.exception)


@pytest.mark.parametrize("name", ["miniature", "full", "bevdepth-r50", "ea-lss"])
def test_configurations_that_ship(name):
    from densegt.cli.training_options import shipped

    from densegt.configuration import load_config
    from densegt.detection.bev.train_config import LssConfig

    config = load_config(LssConfig, shipped("lss", name), {})
    assert config.epochs > 1
    assert config.model.grid.made().cells > 1000
