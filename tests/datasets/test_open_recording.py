"""The only door: formats by their files, and data sets that are not read by their name."""

from pathlib import Path

import pytest

from densegt.datasets import open_recording
from densegt.errors import InputError


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("segment-1.tfrecord", "Waymo v1"),
        ("training/lidar/1.parquet", "Waymo v2"),
        ("001/lidar/00.pkl.gz", "PandaSet"),
        ("trainval-frames-mini.json", "ZOD"),
        ("scene_01/scene_abc.json", "DGP"),
        ("drive.bag", "ROS bag"),
        ("sequences/00/calib.txt", "KITTI odometry"),
        ("sequences/00/labels/000000.label", "SemanticKITTI"),
        ("cams_lidars.json", "A2D2"),
        ("train_data/sample_data.json", "Lyft"),
    ],
)
def test_layouts_that_are_not_read_are_named(file: str, name: str, tmp_path: Path) -> None:
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / file).touch()
    with pytest.raises(InputError, match=f"looks like .*{name}.*densegt reads .*nuscenes"):
        open_recording(tmp_path)


def test_an_empty_folder_is_asked_for_nuscenes_tables(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no v1\.0-\* in it"):
        open_recording(tmp_path)
