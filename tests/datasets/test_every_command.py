"""Every command that is told a recording runs on the simulated world in each format, as far as a detector's results."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("lightning")

from densegt.accumulation.config import AccumulateConfig
from densegt.accumulation.scene_input import read_scene
from densegt.datasets import open_recording, recognised
from densegt.datasets.scene import Scene

from ..depth.stores import densegt
from ..detection.points.pseudo_lidar.small import TINY as TINY_PL
from ..detection.test_train_lss import TINY as TINY_LSS
from .writers.argoverse2 import write_log
from .writers.custom import write_recording
from .writers.kitti360 import write_360
from .writers.kitti_raw import write_drive
from .writers.truckscenes import write_trucks

# Ten commands, two of which train, for each of five formats.
pytestmark = pytest.mark.slow


def front_alone(dataset: Path) -> Scene:
    scene = read_scene(open_recording(dataset), "scene-0001", AccumulateConfig())
    return replace(scene, cameras=tuple(camera for camera in scene.cameras if camera.channel == "CAM_FRONT"))


def write_argoverse2(dataset: Path, root: Path) -> None:
    scene = front_alone(dataset)
    write_log(scene, root / "val" / scene.name)


def write_kitti_raw(dataset: Path, root: Path) -> None:
    write_drive(front_alone(dataset), root)


def write_kitti_360(dataset: Path, root: Path) -> None:
    write_kitti_raw(dataset, root.with_name("raw"))
    root.mkdir()
    write_360(root.with_name("raw"), root)


def write_custom(dataset: Path, root: Path) -> None:
    write_recording(front_alone(dataset), root)


FORMATS = {
    "argoverse2": ("argoverse2", write_argoverse2),
    "kitti-raw": ("kitti-raw", write_kitti_raw),
    "kitti-360": ("kitti-360", write_kitti_360),
    "truckscenes": ("nuscenes", write_trucks),
    "custom": ("custom", write_custom),
}


def run(*arguments: object) -> str:
    done = densegt(*arguments)
    assert done.exit_code == 0, f"{arguments[0]}: {done.output}"
    return done.output


@pytest.mark.parametrize("name", FORMATS)
def test_every_command(name: str, short_world: Path, tmp_path: Path) -> None:
    layout, write = FORMATS[name]
    root, out = tmp_path / "recording", tmp_path / "out"
    write(short_world, root)
    assert recognised(root) == layout
    recording = open_recording(root)
    tokens = {k.sample_token for k in recording.keyframes(recording.scene_names[0])}
    data, stored = ("--dataroot", root), ("--dataroot", root, "--depth", out / "depth")

    assert "0 problems in 1 scene" in densegt("check", *data).output
    run("accumulate", *data, "--out", out / "depth")
    run("complete", *stored, "--out", out / "completed")
    run("evaluate", *data, "--leave-one-out", "--every", 9, "--json", out / "left-out.json")
    run("evaluate", "--pred", out / "completed", "--truth", out / "depth")
    run("view", *stored, "--no-cloud", "--out", out / "view.html")
    run("report", *stored, "--out", out / "report.html")
    run("export", "--depth", out / "depth", "--format", "kitti-png", "--out", out / "png")
    for command, tiny in (("train-lss", TINY_LSS), ("train-pl", TINY_PL)):
        (tmp_path / "tiny.yaml").write_text(json.dumps({**tiny, "epochs": 1}))
        # The same folder twice: its scene is learned from once, and held out once.
        twice = (*stored, *stored, "--supervision", "dense", "--config", tmp_path / "tiny.yaml")
        done = densegt(command, *twice, "--out", out / command)
        # KITTI-360's boxes are not read, so there is nothing to learn from.
        if name == "kitti-360":
            assert "none that is read" in str(done.exception)
            continue
        assert done.exit_code == 0, f"{command}: {done.output}"
        best = out / command / "checkpoints" / "best.ckpt"
        run("predict", *data, "--checkpoint", best, "--out", out / "found", "--pictures", 0, "--overwrite")
        assert set(json.loads((out / "found/results.json").read_text())["results"]) == tokens
