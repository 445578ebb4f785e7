"""Where every object truly is, beside the sweeps, and whose each point is."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from densegt.datasets import open_recording
from densegt.depth.store import SceneReader
from densegt.geometry.se3 import apply


def test_points_of_objects_lie_in_their_true_boxes(tiny_dataset: Path) -> None:
    (scene,) = (open_recording(tiny_dataset).scene(name) for name in open_recording(tiny_dataset).scene_names)
    paths = np.load(tiny_dataset / "exact" / "objects" / f"{scene.name}.npz")
    config = SceneReader(tiny_dataset / "exact" / f"{scene.name}.h5").config
    assert paths["timestamps_us"].tolist() == [sweep.timestamp_us for sweep in scene.sweeps]
    assert len(paths["size_lwh_m"]) == len(paths["T_global_box"]) == len(config["objects"])
    for column in (3, len(scene.sweeps) - 1):
        sweep = scene.sweeps[column]
        exact = np.load(tiny_dataset / "exact" / "lidar" / scene.name / f"{sweep.timestamp_us}.npz")
        points = scene.read_points(sweep).xyz_lidar
        assert len(exact["object_id"]) == len(points)
        rows = np.flatnonzero(exact["object_id"])
        k = exact["object_id"][rows].astype(int) - 1
        T = paths["T_global_box"][k, column]
        away = np.einsum("nji,nj->ni", T[:, :3, :3], apply(sweep.T_global_lidar, points[rows]) - T[:, :3, 3])
        outside_m = (np.abs(away) - paths["size_lwh_m"][k] / 2).max(axis=1)
        moving = np.array([config["objects"][i]["moving"] for i in k])
        assert len(rows) > 500
        # Noise of the ranges; within a turn a mover goes on by up to a metre.
        assert np.quantile(outside_m[~moving], 0.99) < 0.1
        assert np.quantile(outside_m[moving], 0.99) < 1.0
