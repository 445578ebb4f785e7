"""A format that densegt does not know goes through every stage: only a format's own folder depends on it."""

import json

import numpy as np
import pytest
from click.testing import CliRunner
from densegt.cli.main import group

from densegt.datasets import open_recording
from densegt.depth.store import SceneReader
from tests.toy.write_toy import write_toy

# Every stage runs on it, trainings too.
pytestmark = pytest.mark.slow

FORMAT = "tests.toy.toy_recording:ToyRecording"


@pytest.fixture(scope="module")
def toy(tiny_dataset, tmp_path_factory):
    """The recording, and its depth."""
    folder = tmp_path_factory.mktemp("toy")
    write_toy(tiny_dataset, folder / "data")
    run("accumulate", folder / "data", "--out", folder / "depth")
    return folder


def run(command, dataroot, *arguments):
    words = [command, "--dataroot", dataroot, "--format", FORMAT, *arguments]
    done = CliRunner().invoke(group, [str(word) for word in words], standalone_mode=False, catch_exceptions=False)
    assert not done.return_value, done.output
    return done.output


def test_two_lidars_with_point_times(toy):
    recording = open_recording(toy / "data", format=FORMAT)
    scene = recording.scene("first")
    assert {sweep.lidar.channel for sweep in scene.sweeps} == {"TOP", "LOW"}
    assert recording.read_points(scene.sweeps[0]).time_s is not None


def test_depth_is_right(toy, tiny_dataset):
    exact = SceneReader(tiny_dataset / "exact" / "scene-0001.h5")
    depth = SceneReader(toy / "depth" / "first.h5")
    assert set(depth.keys) == set(exact.keys)
    errors, known = [], []
    for key in depth.keys:
        mine, truth = depth.read(*key).depth_m, exact.read(*key).depth_m
        known.append(mine > 0)
        errors.append(np.abs(mine - truth)[(mine > 0) & (truth > 0) & (truth < 60)])
    assert np.mean(known) > 0.5
    assert np.median(np.concatenate(errors)) < 0.1


def test_it_is_seen_completed_and_scored(toy):
    data = toy / "data"
    run("complete", data, "--depth", toy / "depth", "--out", toy / "completed")
    run("view", data, "--depth", toy / "completed", "--out", toy / "view.html")
    assert (toy / "view.html").stat().st_size > 100_000
    run("evaluate", data, "--leave-one-out", "--scene", "first", "--every", "2", "--json", toy / "scores.json")
    assert json.loads((toy / "scores.json").read_text())["densegt"]["all"]["right_percent"] > 80


def test_a_detector_learns_from_it(toy, tmp_path):
    pytest.importorskip("lightning")
    options = ["--depth", toy / "depth", "--supervision", "dense", "--config", "miniature", "--epochs", "1"]
    run("train-lss", toy / "data", *options, "--devices", "1", "--out", tmp_path / "trained")
    assert (tmp_path / "trained" / "checkpoints" / "best.ckpt").is_file()


def test_an_unknown_format_is_one_line(toy):
    words = ["accumulate", "--dataroot", str(toy), "--out", "x", "--format"]
    done = CliRunner().invoke(group, [*words, "no:Such"], standalone_mode=False)
    assert str(done.exception) == "format 'no:Such': No module named 'no'"
    done = CliRunner().invoke(group, [*words, "nuscnes"], standalone_mode=False)
    assert "none of auto, kitti-raw" in str(done.exception)
