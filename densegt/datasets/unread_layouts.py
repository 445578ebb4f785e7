"""Layouts of well-known data sets that are not read, so that one can be named instead of called no data set at all."""

from __future__ import annotations

from pathlib import Path

# In this order: the first that has a match names the folder.
_LAYOUTS = (
    ("Waymo v1 (*.tfrecord)", ("*.tfrecord", "*/*.tfrecord")),
    ("Waymo v2 (lidar/*.parquet)", ("lidar/*.parquet", "*/lidar/*.parquet")),
    ("PandaSet (lidar/*.pkl.gz)", ("lidar/*.pkl*", "*/lidar/*.pkl*")),
    (
        "ZOD (trainval-*.json)",
        ("trainval-*.json", "single_frames/*", "sequences/*/oxts.hdf5"),
    ),
    ("DGP (scene_*.json)", ("scene_dataset*.json", "scene_*.json", "*/scene_*.json")),
    ("a ROS bag (*.bag, *.mcap, *.db3)", ("*.bag", "*.mcap", "*.db3", "*/*.bag", "*/*.mcap", "*/*.db3")),
    ("SemanticKITTI (sequences/NN/labels)", ("sequences/*/labels", "dataset/sequences/*/labels")),
    ("KITTI odometry (sequences/NN)", ("sequences/*/calib.txt", "dataset/sequences/*/calib.txt")),
    ("KITTI object detection (training/velodyne), which has no time", ("training/velodyne", "training/label_2")),
    ("A2D2 (cams_lidars.json)", ("cams_lidars.json", "*/cams_lidars.json")),
    ("Lyft Level 5 (data/sample_data.json)", ("*data/sample_data.json", "*/sample_data.json")),
)


def unread_layout(root: Path) -> str | None:
    """What a folder's files look like, None where nothing is known."""
    return next((name for name, patterns in _LAYOUTS if any(any(root.glob(p)) for p in patterns)), None)
