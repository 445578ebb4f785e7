"""Each sweep's file is opened once a scene, whatever asks for its points."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from densegt.accumulation.config import AccumulateConfig
from densegt.accumulation.leave_one_out.scene import score_scene
from densegt.accumulation.pipeline import accumulate_scene
from densegt.accumulation.read_ahead import ReadAhead
from densegt.accumulation.scene_input import read_scene
from densegt.datasets import open_recording
from densegt.datasets.nuscenes import reader
from densegt.datasets.scene import Points, Scene, Sweep

from .worlds import World

# Whole scenes are simulated, read or rendered.
pytestmark = pytest.mark.slow


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each sweep's file has been opened."""
    count: Counter[str] = Counter()
    honest = reader.read_points

    def read(sweep: Sweep) -> Points:
        count[sweep.path.name] += 1
        return honest(sweep)

    monkeypatch.setattr(reader, "read_points", read)
    return count


def test_to_accumulate_a_scene(tiny_dataset: Path, opened: Counter[str]) -> None:
    """Its lidar's model is inferred, its poses are refined, and its movers are carried."""
    config = AccumulateConfig()
    scene = read_scene(open_recording(tiny_dataset), "scene-0001", config, cameras=("CAM_FRONT",))
    assert len(list(accumulate_scene(scene, config))) == len(scene.cameras)
    assert opened == Counter(sweep.path.name for sweep in scene.sweeps)


def test_to_score_a_scene_without_each_keyframe(tiny_dataset: Path, opened: Counter[str]) -> None:
    config = AccumulateConfig()
    scene = read_scene(open_recording(tiny_dataset), "scene-0001", config, cameras=("CAM_FRONT",))
    score_scene(scene, config, every=2)
    assert opened == Counter(sweep.path.name for sweep in scene.sweeps)


def test_what_was_read_ahead_is_handed_out_once() -> None:
    scene, count = World(seconds=0.1).scene(), Counter[str]()

    def read(sweep: Sweep) -> Points:
        count[sweep.token] += 1
        return scene.read_points(sweep)

    ahead = ReadAhead(read)
    watched: Scene = replace(scene, read_points=ahead)
    first, second = watched.sweeps[:2]
    early = [watched.read_points(first) for _ in range(3)]
    ahead.stop()
    assert watched.read_points(first) is early[0] is early[2]
    watched.read_points(second)
    assert count == {first.token: 1, second.token: 1}
    np.testing.assert_array_equal(watched.read_points(first).xyz_lidar, early[0].xyz_lidar)
    assert count[first.token] == 2
