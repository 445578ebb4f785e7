"""Classes from labelled points: nuScenes lidarseg, and a network's votes."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from densegt.datasets import open_recording
from densegt.datasets.scene import Points, Scene
from densegt.depth.point_votes import NO_CLASS, SweepVotes, VotesWriter
from densegt.errors import InputError
from densegt.motion_net.classes import CLASSES
from densegt.occupancy.classes import NAMES
from densegt.occupancy.labels import lidarseg_points, voted_points

ROAD = NAMES.index("driveable_surface")
# The lidar stands about 1.8 m above the road.
LOW_M = -1.5


def low(points: Points) -> np.ndarray:
    return points.xyz_lidar[:, 2] < LOW_M


@pytest.fixture
def scene(short_world: Path) -> Scene:
    from densegt.accumulation.config import AccumulateConfig
    from densegt.accumulation.scene_input import read_scene

    return read_scene(open_recording(short_world), "scene-0001", AccumulateConfig())


@pytest.fixture
def with_lidarseg(short_world: Path, scene: Scene, tmp_path: Path) -> Callable[[int], Path]:
    """Writes tables and classes for the short world's keyframes, some points too few."""

    def write(missing: int) -> Path:
        shutil.copytree(short_world / "v1.0-mini", tmp_path / "v1.0-mini")
        names = [{"name": "noise", "index": 0}, {"name": "flat.driveable_surface", "index": 24}]
        (tmp_path / "v1.0-mini" / "category.json").write_text(json.dumps(names))
        rows = []
        for sweep in scene.sweeps:
            if sweep.is_keyframe:
                filename = f"{sweep.token}_lidarseg.bin"
                code = np.where(low(scene.read_points(sweep)), 24, 0).astype(np.uint8)
                (tmp_path / filename).write_bytes(code[missing:].tobytes())
                rows.append({"sample_data_token": sweep.token, "filename": filename})
        (tmp_path / "v1.0-mini" / "lidarseg.json").write_text(json.dumps(rows))
        return tmp_path

    return write


def test_lidarseg_says_what_is_road(with_lidarseg: Callable[[int], Path], scene: Scene) -> None:
    points = lidarseg_points(with_lidarseg(0), scene)
    assert points is not None
    keyframes = [sweep for sweep in scene.sweeps if sweep.is_keyframe]
    assert len(points.code) == sum(low(scene.read_points(sweep)).sum() for sweep in keyframes)
    assert set(points.code.tolist()) == {ROAD}
    assert set(points.stamp_us.tolist()) == {sweep.timestamp_us for sweep in keyframes}
    heights = points.xyz_global[:, 2] - keyframes[0].T_global_lidar[2, 3]
    assert np.quantile(heights, 0.99) < LOW_M + 0.5


def test_what_does_not_fit_is_one_line_and_nothing_is_none(
    with_lidarseg: Callable[[int], Path], scene: Scene, short_world: Path
) -> None:
    assert lidarseg_points(short_world, scene) is None
    with pytest.raises(InputError, match=r"_lidarseg\.bin: \d+ classes, the sweep has \d+ points"):
        lidarseg_points(with_lidarseg(1), scene)


def test_votes_say_what_is_road(scene: Scene, tmp_path: Path) -> None:
    with VotesWriter(tmp_path, scene.name, {"classes": list(CLASSES)}, input_digest="") as writer:
        for sweep in scene.sweeps:
            points = scene.read_points(sweep)
            votes = SweepVotes.none(len(points.ring))
            votes.kind[:] = np.where(low(points), CLASSES.index("driveable_surface"), NO_CLASS)
            writer.write(sweep.lidar.channel, sweep.timestamp_us, votes)
    points = voted_points(tmp_path, scene)
    assert len(points.code) > 1000
    assert set(points.code.tolist()) == {ROAD}
    with pytest.raises(InputError, match="no such file"):
        voted_points(tmp_path / "elsewhere", scene)
