"""Writes a dataset in nuScenes format as MAN TruckScenes has it: several lidars, sweeps as PCD with a time a point.

Points go back to where the sensor measured them, each at its own time.
"""

import json
import shutil
from pathlib import Path

import numpy as np

from densegt.accumulation.config import AccumulateConfig
from densegt.accumulation.scene_input import read_scene
from densegt.accumulation.timing import EgoPath
from densegt.datasets import open_recording

from .kitti_raw import as_measured


def write_trucks(dataset: Path, root: Path, channels: tuple[str, ...] = ("LIDAR_LEFT", "LIDAR_REAR")) -> Path:
    """A copy whose lidar's sweeps go to these in turn; no map, no log. Gives root."""
    shutil.copytree(dataset, root, ignore=shutil.ignore_patterns("exact", "map.json"))
    recording = open_recording(dataset)
    for name in recording.scene_names:
        scene = read_scene(recording, name, AccumulateConfig())
        for sweep in scene.sweeps:
            _write_sweep(root / sweep.path.relative_to(dataset), scene, sweep)
    _write_tables(root / "v1.0-mini", channels)
    return root


def _write_sweep(old, scene, sweep):
    points = scene.read_points(sweep)
    points = points.take(np.flatnonzero(np.abs(points.xyz_lidar).max(axis=1) > 0.1))
    times_s, xyz = as_measured(points, sweep, EgoPath.of(scene))
    stamps_us = sweep.timestamp_us + np.rint(times_s * 1e6).astype(np.int64)
    old.unlink()
    write_truck_sweep(old.with_suffix(""), xyz, points.intensity, stamps_us)


def write_truck_sweep(path: Path, xyz: np.ndarray, intensity: np.ndarray, stamps_us: np.ndarray) -> None:
    """x y z intensity as float32, the time as a 64-bit integer."""
    rows = np.zeros(len(xyz), dtype=[("xyz", "<f4", 3), ("intensity", "<f4"), ("timestamp", "<u8")])
    rows["xyz"], rows["intensity"], rows["timestamp"] = xyz, intensity, stamps_us
    header = (
        "# .PCD v0.7\nVERSION 0.7\nFIELDS x y z intensity timestamp\nSIZE 4 4 4 4 8\nTYPE F F F F U\nCOUNT 1 1 1 1 1\n"
        f"WIDTH {len(rows)}\nHEIGHT 1\nVIEWPOINT 0 0 0 1 0 0 0\nPOINTS {len(rows)}\nDATA binary\n"
    )
    path.write_bytes(header.encode() + rows.tobytes())


def _write_tables(tables, channels):
    def table(name):
        return json.loads((tables / f"{name}.json").read_text())

    sensors, mounts, data = table("sensor"), table("calibrated_sensor"), table("sample_data")
    (top,) = [row for row in sensors if row["channel"] == "LIDAR_TOP"]
    sensors = [row for row in sensors if row is not top]
    sensors += [{**top, "token": f"{top['token']}{c}", "channel": c} for c in channels]
    for mount in [row for row in mounts if row["sensor_token"] == top["token"]]:
        mounts.remove(mount)
        names = [f"{mount['token']}{c}" for c in channels]
        of = [f"{top['token']}{c}" for c in channels]
        mounts += [{**mount, "token": t, "sensor_token": s} for t, s in zip(names, of, strict=True)]
        sweeps = [row for row in data if row["calibrated_sensor_token"] == mount["token"]]
        for number, row in enumerate(sorted(sweeps, key=lambda row: row["timestamp"])):
            row["calibrated_sensor_token"] = names[number % len(names)]
            row["filename"] = row["filename"].removesuffix(".bin")
    scenes = [{**row, "log_token": ""} for row in table("scene")]
    written = {"sensor": sensors, "calibrated_sensor": mounts, "sample_data": data, "scene": scenes}
    for name, rows in written.items():
        (tables / f"{name}.json").write_text(json.dumps(rows))
