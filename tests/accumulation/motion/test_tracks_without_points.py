"""Tracks in whose boxes no point lies, and sweeps without a point, leave the rest as it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from densegt.accumulation.config import AccumulateConfig
from densegt.accumulation.pipeline import build_cloud
from densegt.accumulation.scene_input import read_scene
from densegt.datasets import open_recording
from densegt.datasets.scene import Scene, Track
from densegt.datasets.unreadable_sweeps import NO_POINTS

# Models are built and trained.
pytestmark = pytest.mark.slow


def moved(track: Track, xyz_m: tuple[float, float, float]) -> Track:
    T = track.T_global_box.copy()
    T[:, :3, 3] += xyz_m
    return replace(track, T_global_box=T)


def upside_down(track: Track) -> Track:
    return replace(track, T_global_box=track.T_global_box @ np.diag([1.0, -1.0, -1.0, 1.0]))


def first_knot(track: Track) -> Track:
    return replace(track, timestamps_us=track.timestamps_us[:1], T_global_box=track.T_global_box[:1])


@pytest.mark.parametrize(
    "change",
    [
        lambda track: moved(track, (0.0, 0.0, 50.0)),
        lambda track: moved(track, (5000.0, 0.0, 0.0)),
        upside_down,
        first_knot,
        lambda track: replace(track, size_lwh_m=np.full(3, 1e-3)),
    ],
    ids=["in the air", "far away", "upside down", "one label", "tiny"],
)
def test_boxes_elsewhere(tiny_dataset: Path, change: Callable[[Track], Track]) -> None:
    config = AccumulateConfig()
    scene = read_scene(open_recording(tiny_dataset), "scene-0001", config)
    assert scene.tracks
    cloud = build_cloud(cut(replace(scene, tracks=tuple(map(change, scene.tracks)))), config)
    assert len(cloud.static) > 100_000


@pytest.mark.parametrize("empty", [0, 5, -1])
def test_sweeps_without_a_point(tiny_dataset: Path, empty: int) -> None:
    config = AccumulateConfig()
    scene = cut(read_scene(open_recording(tiny_dataset), "scene-0001", config))
    token = scene.sweeps[empty].token
    read = scene.read_points
    cloud = build_cloud(
        replace(scene, read_points=lambda sweep: NO_POINTS if sweep.token == token else read(sweep)), config
    )
    assert len(cloud.static) > 100_000


def cut(scene: Scene) -> Scene:
    """The first eleven sweeps: two keyframes."""
    return replace(scene, sweeps=scene.sweeps[:11])
