"""`train-motion` and `predict-motion` from end to end."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from densegt.cli.main import group

from densegt.datasets import open_recording
from densegt.depth.hdf5_file import read_header
from densegt.depth.point_votes import read_votes
from densegt.errors import InputError
from densegt.motion_net.checkpoint import read_network, write_weights
from densegt.motion_net.config import NetConfig
from densegt.motion_net.network import MotionNet

SMALL = (
    "epochs: 2\nhead_steps: 10\nevery: 10\nvalidation_scans: 2\nthreads: 1\nnet: {width: 8, cell_m: 1.0, scans: 3}\n"
)


@pytest.fixture(scope="module")
def trained(short_world: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("motion")
    (folder / "small.yaml").write_text(SMALL)
    line = ["train-motion", "--dataroot", str(short_world), "--out", str(folder / "trained")]
    done = CliRunner().invoke(group, [*line, "--config", str(folder / "small.yaml")], standalone_mode=False)
    assert done.exception is None, done.output
    assert "moving IoU" in done.output
    return folder / "trained" / "motion.safetensors"


def predict(checkpoint: Path, dataset: Path, out: Path) -> str:
    line = ["predict-motion", "--checkpoint", str(checkpoint), "--dataroot", str(dataset), "--out", str(out)]
    done = CliRunner().invoke(group, [*line, "--reach", "20"], standalone_mode=False)
    assert done.exception is None, done.output
    assert not done.return_value
    return done.output


def test_votes_are_of_every_point_in_reach_and_resume(trained: Path, short_world: Path, tmp_path: Path) -> None:
    assert "move" in predict(trained, short_world, tmp_path)
    recording = open_recording(short_world)
    scene = recording.scene(recording.scene_names[0])
    for sweep in (scene.sweeps[0], scene.sweeps[-1]):
        points = scene.read_points(sweep).xyz_lidar
        votes = read_votes(tmp_path / f"{scene.name}.h5", sweep.lidar.channel, sweep.timestamp_us, len(points))
        voted = np.isfinite(votes.moving)
        near, far = np.linalg.norm(points[:, :2], axis=1), np.abs(points[:, :2]).max(axis=1)
        assert voted[(near > 5) & (near < 18)].all()
        assert not voted[far > 30].any()
    assert "skipped" in predict(trained, short_world, tmp_path)


def test_accumulate_lets_the_network_that_ships_vote_first(
    trained: Path, short_world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("densegt.motion_net.checkpoint.shipped_weights", lambda: trained)
    line = ["accumulate", "--dataroot", str(short_world), "--out", str(tmp_path), "--motion-votes", "auto"]
    done = CliRunner().invoke(group, [*line, "--motion", "free", "--camera", "CAM_FRONT"], standalone_mode=False)
    assert done.exception is None, done.output
    assert not done.return_value
    (depth,), (votes,) = tmp_path.glob("*.h5"), (tmp_path / "motion-votes").glob("*.h5")
    assert read_header(depth).config["motion_votes"] == read_header(votes).config
    again = CliRunner().invoke(group, [*line, "--motion", "free", "--camera", "CAM_FRONT"], standalone_mode=False)
    assert again.output.count("skipped") == 2


def test_without_torch_a_line_says_what_votes_need(
    short_world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "densegt.motion_net.checkpoint", None)
    line = ["accumulate", "--dataroot", str(short_world), "--out", str(tmp_path), "--motion-votes", "auto"]
    with pytest.raises(InputError, match=r"votes on what moves.*pip install"):
        CliRunner().invoke(group, line, standalone_mode=False, catch_exceptions=False)


def test_the_head_alone(short_world: Path, tmp_path: Path) -> None:
    (tmp_path / "head.yaml").write_text(SMALL.replace("epochs: 2", "epochs: 0"))
    line = ["train-motion", "--dataroot", str(short_world), "--out", str(tmp_path / "out")]
    done = CliRunner().invoke(group, [*line, "--config", str(tmp_path / "head.yaml")], standalone_mode=False)
    assert done.exception is None, done.output
    assert "10 steps by points alone" in done.output
    assert read_network(tmp_path / "out" / "motion.safetensors").config.scans == 3


def test_a_training_in_the_folder_is_not_overwritten(trained: Path, short_world: Path) -> None:
    line = ["train-motion", "--dataroot", str(short_world), "--out", str(trained.parent), "--config", "miniature"]
    with pytest.raises(InputError, match="a training is there already"):
        CliRunner().invoke(group, line, standalone_mode=False, catch_exceptions=False)


def test_weights_say_what_they_are(trained: Path, tmp_path: Path) -> None:
    net = read_network(trained)
    assert net.config.width == 8
    again = read_network(trained.parent / "checkpoints" / "best.ckpt")
    for name, tensor in net.state_dict().items():
        assert torch.equal(tensor, again.state_dict()[name])
    (tmp_path / "cut.safetensors").write_bytes(trained.read_bytes()[:1000])
    (tmp_path / "text.ckpt").write_text("no checkpoint")
    for name in ("cut.safetensors", "text.ckpt", "none.ckpt"):
        with pytest.raises(InputError, match=name):
            read_network(tmp_path / name)
    wrong = MotionNet(NetConfig(width=8))
    wrong.config = NetConfig(width=16)
    write_weights(wrong, tmp_path / "wrong.safetensors", {})
    with pytest.raises(InputError, match=r"do not fit|not those of the network"):
        read_network(tmp_path / "wrong.safetensors")


def test_what_cannot_be_learned_from_is_named(short_world: Path, tmp_path: Path) -> None:
    line = ["train-motion", "--dataroot", str(short_world), "--out", str(tmp_path), "--labels", "lidarseg"]
    with pytest.raises(InputError, match="lidarseg"):
        CliRunner().invoke(group, line, standalone_mode=False, catch_exceptions=False)
    both = [*line, "--init", "a.ckpt", "--resume"]
    with pytest.raises(InputError, match="only one of them"):
        CliRunner().invoke(group, both, standalone_mode=False, catch_exceptions=False)
