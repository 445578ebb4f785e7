"""The benchmark of noise: what it spoils is spoilt as it says, and it runs."""

import numpy as np
import pytest

from benchmarks.accuracy import noise
from densegt.datasets import open_recording
from densegt.geometry import se3

# Benchmarks run whole, if small.
pytestmark = pytest.mark.slow


def test_boxes_keep_their_place_in_the_ego_when_poses_are_spoilt(short_world) -> None:
    dataset = open_recording(short_world)
    true = dataset.scene(dataset.scene_names[0])
    wrong = noise.spoilt(true, ("jitter",), np.random.default_rng(0))
    at = {s.timestamp_us: k for k, s in enumerate(true.sweeps)}
    off = [
        np.linalg.norm(a.T_global_ego[:3, 3] - b.T_global_ego[:3, 3])
        for a, b in zip(wrong.sweeps, true.sweeps, strict=True)
    ]
    assert 0.01 < np.mean(off) < 0.2
    for drawn, track in zip(wrong.tracks, true.tracks, strict=True):
        for stamp, T, exact in zip(track.timestamps_us, drawn.T_global_box, track.T_global_box, strict=True):
            k = at[int(stamp)]
            seen = se3.inverse(wrong.sweeps[k].T_global_ego) @ T
            np.testing.assert_allclose(seen, se3.inverse(true.sweeps[k].T_global_ego) @ exact, atol=1e-6)


def test_boxes_are_a_decimetre_off(short_world) -> None:
    dataset = open_recording(short_world)
    true = dataset.scene(dataset.scene_names[0])
    wrong = noise.spoilt(true, ("boxes",), np.random.default_rng(0))
    shift = np.concatenate(
        [a.T_global_box[:, :3, 3] - b.T_global_box[:, :3, 3] for a, b in zip(wrong.tracks, true.tracks, strict=True)]
    )
    np.testing.assert_allclose(shift.std(axis=0), [0.1, 0.1, 0.05], rtol=0.4)
    assert all(a.T_global_ego is b.T_global_ego for a, b in zip(wrong.sweeps, true.sweeps, strict=True))


def test_it_runs(short_world, tmp_path, capsys) -> None:
    page = tmp_path / "noise.md"
    noise.main(["--worlds", str(short_world), "--noise", "drift", "--markdown", str(page)])
    lines = [line for line in page.read_text().splitlines() if line.startswith("| drift")]
    assert [line.split(" | ")[1] for line in lines] == ["no", "yes"]
