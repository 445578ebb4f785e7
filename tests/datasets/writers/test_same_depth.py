"""The simulated world written in another format: the depth made of it is the same, within that format's rounding."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from densegt.accumulation.config import AccumulateConfig
from densegt.accumulation.pipeline import accumulate_scene
from densegt.accumulation.scene_input import read_scene
from densegt.datasets import open_recording
from densegt.datasets.scene import Scene
from densegt.depth.store import SceneReader

from .argoverse2 import write_log
from .custom import write_recording

# Whole scenes are simulated, read or rendered.
pytestmark = pytest.mark.slow

Depths = dict[tuple[str, int], np.ndarray]
CONFIG = AccumulateConfig()


@pytest.fixture(scope="module")
def world(tiny_dataset: Path) -> tuple[Scene, Depths, Depths]:
    """The scene, its exact depth and what is made of it in nuScenes format, by channel and stamp."""
    recording = open_recording(tiny_dataset)
    scene = read_scene(recording, recording.scene_names[0], CONFIG)
    exact = SceneReader(tiny_dataset / "exact" / f"{scene.name}.h5")
    truth = {(c.channel, c.timestamp_us): exact.read(c.sample_token, c.channel).depth_m for c in scene.cameras}
    return scene, truth, depths_of(scene)


def depths_of(scene: Scene) -> Depths:
    return {(c.channel, c.timestamp_us): depth.depth_m for c, depth in accumulate_scene(scene, CONFIG)}


def right_percent(depths: Depths, truth: Depths) -> float:
    """Share of predictions, in images that both have, within 5 % of the truth or 0.1 m."""
    assert depths.keys() == truth.keys()
    right = asked = 0
    for key, depth_m in depths.items():
        both = (depth_m > 0) & (truth[key] > 0) & (truth[key] < 60)
        asked += int(both.sum())
        right += int((np.abs(depth_m - truth[key])[both] < np.maximum(0.1, 0.05 * truth[key][both])).sum())
    return 100 * right / asked


def known_percent(depths: Depths) -> float:
    return 100 * float(np.mean([(depth_m > 0).mean() for depth_m in depths.values()]))


def write_argoverse2(scene: Scene, root: Path) -> None:
    write_log(scene, root / "val" / scene.name)


@pytest.mark.parametrize("write", [write_recording, write_argoverse2])
def test_same_depth(write: Callable[[Scene, Path], None], world: tuple[Scene, Depths, Depths], tmp_path: Path) -> None:
    scene, truth, as_nuscenes = world
    write(scene, tmp_path / "recording")
    recording = open_recording(tmp_path / "recording")
    depths = depths_of(read_scene(recording, scene.name, CONFIG))
    assert right_percent(depths, truth) == pytest.approx(right_percent(as_nuscenes, truth), abs=0.2)
    assert known_percent(depths) == pytest.approx(known_percent(as_nuscenes), abs=1.0)
    assert len(recording.keyframes(scene.name)) == len({camera.sample_token for camera in scene.cameras})
