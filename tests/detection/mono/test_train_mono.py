"""`densegt train-mono` and `densegt predict`, from a folder to boxes."""

from __future__ import annotations

import json
from itertools import pairwise

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("lightning")

from densegt.datasets import RecordingPath, open_recording  # noqa: E402
from densegt.detection.checkpoint import read_task  # noqa: E402
from densegt.detection.fit import TrainingSource  # noqa: E402
from densegt.detection.mono.dataset import MonoObjects  # noqa: E402
from densegt.detection.mono.objects_2d import ExactObjects, ObjectsFile, ProjectedObjects  # noqa: E402
from densegt.detection.mono.task import MonoTask  # noqa: E402

from ...depth.stores import densegt  # noqa: E402
from .things import config  # noqa: E402

TINY = {
    "batch": 8, "epochs": 2, "loader_processes": 0, "threads": 1,
    "model": {"crop_px": 32, "widths": [8, 16, 16], "features": 32, "min_height_deg": 3.0},
    "loss": {"points": 16, "rays": 8, "mean_steps": 2, "explore_every": 3},
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("train-mono")
    (folder / "tiny.yaml").write_text(json.dumps(TINY))
    return folder


def train(root, folder, out, *more):
    """The same folder twice: its scene is learned from once, and held out once."""
    both = ["--dataroot", root, "--dataroot", root]
    return densegt("train-mono", *both, "--out", out, "--config", folder / "tiny.yaml", *more)


def with_depth(root):
    return ["--depth", root / "exact", "--depth", root / "exact"]


@pytest.fixture(scope="module")
def trained(tiny_dataset, folder):
    done = train(tiny_dataset, folder, folder / "out", "--supervision", "dense", *with_depth(tiny_dataset))
    assert done.exit_code == 0, done.output
    return folder / "out", done


def weights(out):
    return torch.load(out / "checkpoints/last.ckpt", weights_only=True)["state_dict"]


def test_what_is_written_and_said(trained):
    out, done = trained
    lines = done.stderr.splitlines()
    assert "objects (exact masks)" in lines[0]
    assert [line.split(":")[0] for line in lines[1:]] == ["epoch 1/2", "epoch 2/2"]
    assert json.loads((out / "about.json").read_text())["config"]["supervision"] == "dense"
    assert isinstance(read_task(out / "checkpoints" / "best.ckpt"), MonoTask)


def test_predictions_are_boxes_with_scores(trained, tiny_dataset, tmp_path):
    out, _ = trained
    checkpoint = out / "checkpoints" / "best.ckpt"
    done = densegt("predict", "--checkpoint", checkpoint, "--dataroot", tiny_dataset, "--out", tmp_path)
    assert done.exit_code == 0, done.output
    assert "labelled objects" in done.output
    results = json.loads((tmp_path / "results.json").read_text())
    assert results["meta"]["use_lidar"] is False
    rows = [row for rows in results["results"].values() for row in rows]
    assert rows
    assert all(row["detection_name"] == "car" and 0 < row["detection_score"] <= 1 for row in rows)
    scores = json.loads((tmp_path / "scores.json").read_text())
    assert scores["objects"]["all"]["objects"] > 0
    assert not (tmp_path / "depth").exists()


def test_a_resumed_training_is_that_of_one_uninterrupted(trained, tiny_dataset, folder, tmp_path, monkeypatch):
    step = MonoTask.training_step

    def stop(self, batch, index):
        if self.current_epoch == 1:
            raise KeyboardInterrupt
        return step(self, batch, index)

    monkeypatch.setattr(MonoTask, "training_step", stop)
    dense = ["--supervision", "dense", *with_depth(tiny_dataset)]
    assert train(tiny_dataset, folder, tmp_path, *dense).exit_code != 0
    monkeypatch.undo()
    assert train(tiny_dataset, folder, tmp_path, *dense, "--resume").exit_code == 0
    whole, parts = weights(trained[0]), weights(tmp_path)
    assert all(torch.equal(whole[name], parts[name]) for name in whole)


@pytest.mark.parametrize("supervision", ["sparse", "exact"])
def test_other_supervisions_need_no_store(supervision, tiny_dataset, folder, tmp_path):
    done = train(tiny_dataset, folder, tmp_path, "--supervision", supervision, "--epochs", "1")
    assert done.exit_code == 0, done.output
    assert ("with a 3D label" if supervision == "exact" else "with depth") in done.stderr


def test_autolabels_are_learned_from_beside_depth(tiny_dataset, folder, tmp_path):
    options = ["--supervision", "autolabel", "--epochs", "1", *with_depth(tiny_dataset)]
    done = train(tiny_dataset, folder, tmp_path, *options)
    assert done.exit_code == 0, done.output
    assert "with depth" in done.stderr
    assert "with a box" in done.stderr


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--supervision", "dense"], "name one with --depth"),
        (["--boxes-2d", "missing.json"], "--boxes-2d is given 1 times and --dataroot 2 times"),
        (["--boxes-2d", "missing.json", "--boxes-2d", "missing.json"], "missing.json: no JSON"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_one_line(options, said, tiny_dataset, folder, tmp_path):
    done = train(tiny_dataset, folder, tmp_path, *options)
    assert done.exit_code != 0
    assert said in f"{done.output}{done.exception}"


def dataset(root, boxes_2d=None, **changes):
    task = MonoTask(config(**{**TINY, **changes}).model_dump())
    source = TrainingSource(RecordingPath(root), root / "exact", boxes_2d)
    return task, task.dataset(source, task.dataset_options(learned=True, has_depth=True), None)


def test_labels_and_evidence_are_of_the_same_objects(tiny_dataset):
    """Points measured on an object lie in its labelled box, seen in its view."""
    _, objects = dataset(tiny_dataset)
    found = objects.objects()
    box, points, weight = found["box"].double(), found["points"].double(), found["point_weight"] > 0
    known = box.isfinite().all(1) & (weight.sum(1) > 5)
    assert int(known.sum()) > 5
    c, s = box[:, 6].cos()[:, None], box[:, 6].sin()[:, None]
    x, y, z = (points - box[:, None, :3]).unbind(-1)
    off = torch.stack([c * x + s * y, c * y - s * x, z], -1).abs() - box[:, None, 3:6] / 2
    within = (off < 0.15).all(-1)
    assert float(within[known][weight[known]].double().mean()) > 0.97


def test_boxes_of_a_file_are_those_of_the_file(tiny_dataset, tmp_path):
    recording = open_recording(tiny_dataset)
    keyframe = recording.keyframes(recording.scene_names[0])[0]
    exact, rows = ExactObjects(tiny_dataset / "exact"), {}
    for camera in keyframe.cameras:
        rows[camera.channel] = [
            {"box": thing.box_px.tolist(), "class": thing.name, "score": 0.5, "mask": runs(thing.mask)}
            for thing in exact.objects(keyframe, camera)
        ]
    path = tmp_path / "boxes.json"
    path.write_text(json.dumps({keyframe.sample_token: rows}))
    for camera in keyframe.cameras:
        for a, b in zip(exact.objects(keyframe, camera), ObjectsFile(path).objects(keyframe, camera), strict=True):
            assert a.box_px == pytest.approx(b.box_px)
            assert np.array_equal(a.mask, b.mask)
            assert b.score == 0.5
    path.write_text(json.dumps({keyframe.sample_token: {keyframe.cameras[0].channel: [{"box": [5, 5, 1, 1]}]}}))
    with pytest.raises(ValueError, match="left, top, right, bottom"):
        ObjectsFile(path).objects(keyframe, keyframe.cameras[0])


def runs(mask):
    flat = mask.T.ravel()
    edges = [0, *(np.flatnonzero(np.diff(flat.astype(np.int8))) + 1).tolist(), flat.size]
    counts = [b - a for a, b in pairwise(edges)]
    return {"size": list(mask.shape), "counts": [0, *counts] if flat[0] else counts}


def test_projected_boxes_are_like_those_of_masks(tiny_dataset):
    """Where the whole of an object is in the image and nothing hides it."""
    recording = open_recording(tiny_dataset)
    keyframe = recording.keyframes(recording.scene_names[0])[0]
    found = 0
    for camera in keyframe.cameras:
        projected = [thing.box_px for thing in ProjectedObjects().objects(keyframe, camera)]
        for thing in ExactObjects(tiny_dataset / "exact").objects(keyframe, camera):
            off = [np.abs(box - thing.box_px).max() for box in projected]
            found += bool(off) and min(off) < 4
    assert found >= 3


@pytest.mark.slow  # learns until it shows
@pytest.mark.parametrize("supervision", ["dense", "exact"])
def test_it_learns_where_cars_are(supervision, tiny_dataset):
    torch.manual_seed(0)
    changes = {"supervision": supervision, "loss": {"points": 24, "rays": 16, "mean_steps": 20}}
    task, objects = dataset(tiny_dataset, **changes)
    samples = MonoObjects([objects], 0, task.settings.augment)
    every = objects.objects()
    known = every["box"].isfinite().all(1)

    def now():
        """Loss, and median error of the centre."""
        with torch.no_grad():
            task.eval()
            torch.manual_seed(0)
            cost = float(torch.stack(list(task.losses(every, 1001).values())).sum())
            boxes, _ = task.boxes(task(every), every)
            task.train()
        off = boxes[:, :2] - every["box"][:, :2].double().numpy()
        return cost, float(np.median(np.hypot(*off.T)[known]))

    cost_before, error_before_m = now()
    optimizer = torch.optim.AdamW(task.net.parameters(), lr=3e-3)
    for step in range(120):
        rows = [samples[step * 16 + i] for i in range(16)]
        batch = {name: torch.stack([row[name] for row in rows]) for name in rows[0]}
        loss = torch.stack(list(task.losses(batch, step).values())).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    cost, error_m = now()
    assert cost < 0.9 * cost_before
    # Before, depth is that of a mean vehicle's height.
    assert error_m < 0.7 * error_before_m
