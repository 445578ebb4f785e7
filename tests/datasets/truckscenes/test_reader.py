"""MAN TruckScenes by its description: nuScenes' tables, several lidars, sweeps as PCD with a time a point."""

from pathlib import Path

import numpy as np
import pytest

from densegt.datasets import open_recording
from densegt.datasets.nuscenes.check import check
from densegt.errors import InputError

from ..copies import copy_of, replace
from ..writers.truckscenes import write_trucks


@pytest.fixture(scope="module")
def trucks(tiny_dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny dataset, every other sweep of a second lidar; to read."""
    return write_trucks(tiny_dataset, tmp_path_factory.mktemp("trucks") / "trucks")


def test_several_lidars_and_times_of_points(trucks: Path) -> None:
    recording = open_recording(trucks)
    scene = recording.scene(recording.scene_names[0])
    assert {lidar.channel for lidar in scene.lidars} == {"LIDAR_LEFT", "LIDAR_REAR"}
    points = scene.read_points(scene.sweeps[0])
    assert points.time_s is not None
    # The simulated lidar's stamp is the end of its turn of 50 ms.
    assert -0.051 < points.time_s.min() < -0.045
    assert -0.005 < points.time_s.max() < 0.001
    # It has 32 beams; noise may join or split a few.
    assert 28 <= len(np.unique(points.ring)) <= 36


def test_a_damaged_sweep_is_one_line(trucks: Path, tmp_path: Path) -> None:
    recording = open_recording(copy_of(trucks, tmp_path / "damaged"))
    scene = recording.scene(recording.scene_names[0])
    replace(scene.sweeps[1].path, scene.sweeps[1].path.read_bytes()[:-7])
    with pytest.raises(InputError, match="cut off"):
        scene.read_points(scene.sweeps[1])


def test_check_asks_for_no_map(trucks: Path) -> None:
    assert check(trucks).summary() == "0 problems in 1 scene, 31 sweeps, 24 images"
