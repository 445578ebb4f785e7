import pytest

from densegt.accumulation.config import AccumulateConfig
from densegt.accumulation.scene_input import read_scene
from densegt.datasets import open_recording

from .writers.kitti_raw import write_drive


@pytest.fixture(scope="session")
def world(tiny_dataset):
    """The simulated world's scene, read from nuScenes format."""
    return read_scene(open_recording(tiny_dataset), "scene-0001", AccumulateConfig())


@pytest.fixture(scope="session")
def kitti_raw(world, made_once):
    """The world as a folder of KITTI raw with one drive; to read, not to write to."""
    return made_once("kitti-raw", lambda folder: write_drive(world, folder))
