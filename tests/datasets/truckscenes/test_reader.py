"""MAN TruckScenes by its description: nuScenes' tables, several lidars, sweeps as PCD with a time a point."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from densegt.datasets import open_recording
from densegt.datasets.nuscenes.sweep_file import read_sweep
from densegt.errors import InputError


def write_truck_sweep(path: Path, xyz: np.ndarray, intensity: np.ndarray, stamps_us: np.ndarray) -> None:
    """x y z intensity as float32, the time as a 64-bit integer."""
    rows = np.zeros(len(xyz), dtype=[("xyz", "<f4", 3), ("intensity", "<f4"), ("timestamp", "<u8")])
    rows["xyz"], rows["intensity"], rows["timestamp"] = xyz, intensity, stamps_us
    header = (
        "# .PCD v0.7\nVERSION 0.7\nFIELDS x y z intensity timestamp\nSIZE 4 4 4 4 8\nTYPE F F F F U\nCOUNT 1 1 1 1 1\n"
        f"WIDTH {len(rows)}\nHEIGHT 1\nVIEWPOINT 0 0 0 1 0 0 0\nPOINTS {len(rows)}\nDATA binary\n"
    )
    path.write_bytes(header.encode() + rows.tobytes())


@pytest.fixture
def trucks(tiny_dataset: Path, tmp_path: Path) -> Path:
    """The tiny dataset, every other sweep of a second lidar, sweeps as PCD; no map, no log."""
    root = tmp_path / "trucks"
    shutil.copytree(tiny_dataset, root)
    tables = root / "v1.0-mini"

    def table(name: str) -> list[dict[str, object]]:
        return json.loads((tables / f"{name}.json").read_text())

    sensors, calibrations, data = table("sensor"), table("calibrated_sensor"), table("sample_data")
    (top,) = [row for row in sensors if row["channel"] == "LIDAR_TOP"]
    (mount,) = [row for row in calibrations if row["sensor_token"] == top["token"]]
    top["channel"] = "LIDAR_LEFT"
    sensors.append({**top, "token": "rear", "channel": "LIDAR_REAR"})
    calibrations.append({**mount, "token": "rear-mount", "sensor_token": "rear"})
    sweeps = [row for row in data if row["calibrated_sensor_token"] == mount["token"]]
    for number, row in enumerate(sweeps):
        old = root / str(row["filename"])
        points = read_sweep(old)
        row["filename"] = str(row["filename"]).replace(".pcd.bin", ".pcd")
        times = int(row["timestamp"]) - np.arange(len(points.ring))[::-1]
        write_truck_sweep(root / str(row["filename"]), points.xyz_lidar, points.intensity, times)
        old.unlink()
        if number % 2:
            row["calibrated_sensor_token"] = "rear-mount"
    for name, rows in (("sensor", sensors), ("calibrated_sensor", calibrations), ("sample_data", data)):
        (tables / f"{name}.json").write_text(json.dumps(rows))
    (tables / "map.json").unlink(missing_ok=True)
    scenes = [{**row, "log_token": ""} for row in table("scene")]
    (tables / "scene.json").write_text(json.dumps(scenes))
    return root


def test_several_lidars_and_times_of_points(trucks: Path) -> None:
    recording = open_recording(trucks)
    scene = recording.scene(recording.scene_names[0])
    assert {lidar.channel for lidar in scene.lidars} == {"LIDAR_LEFT", "LIDAR_REAR"}
    points = scene.read_points(scene.sweeps[0])
    assert points.time_s is not None
    np.testing.assert_allclose(points.time_s, -1e-6 * np.arange(len(points.ring))[::-1], atol=1e-9)
    # The simulated lidar has 32 beams; noise and ego motion may join or split a few.
    assert 25 <= len(np.unique(points.ring)) <= 45


def test_a_damaged_sweep_is_one_line(trucks: Path) -> None:
    recording = open_recording(trucks)
    scene = recording.scene(recording.scene_names[0])
    scene.sweeps[1].path.write_bytes(scene.sweeps[1].path.read_bytes()[:-7])
    with pytest.raises(InputError, match="cut off"):
        scene.read_points(scene.sweeps[1])
