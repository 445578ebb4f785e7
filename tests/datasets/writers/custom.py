"""Writes a scene as a recording of one's own: for tests, from the simulated world in any format that is read."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import yaml

from densegt.datasets.scene import Scene
from densegt.geometry import se3

CLASSES = {"vehicle.car": "car", "vehicle.truck": "truck", "human.pedestrian": "pedestrian"}


def write_recording(scene: Scene, root: Path, *, suffix: str = ".npz") -> None:
    """recording.yaml and one scene; lidar models, rings and images as they are."""
    folder = root / "scenes" / scene.name
    folder.mkdir(parents=True)
    cameras = {camera.channel: camera for camera in scene.cameras}
    settings = {
        "lidars": {
            lidar.channel: {
                "T_ego_lidar": lidar.T_ego_lidar.tolist(),
                "model": {
                    "clockwise": lidar.model.clockwise,
                    "period_s": lidar.model.period_s,
                    "scan_start_azimuth_deg": float(np.rad2deg(lidar.model.scan_start_azimuth_rad)),
                    "stamp_fraction": lidar.model.stamp_fraction,
                    "compensated": lidar.model.compensated,
                },
            }
            for lidar in scene.lidars
            if lidar.model
        },
        "cameras": {
            channel: {
                "T_ego_cam": camera.T_ego_cam.tolist(),
                "K": camera.K.tolist(),
                "size": [camera.width_px, camera.height_px],
                "distortion": "none",
            }
            for channel, camera in cameras.items()
        },
        "categories": {
            track.category: {"kind": track.kind.value}
            | next(({"class": name} for prefix, name in CLASSES.items() if track.category.startswith(prefix)), {})
            for track in scene.tracks
        },
    }
    (root / "recording.yaml").write_text(yaml.safe_dump(settings))
    poses = {s.timestamp_us: s.T_global_ego for s in scene.sweeps}
    poses |= {c.timestamp_us: c.T_global_ego for c in scene.cameras}
    with (folder / "poses.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["timestamp_us", "x", "y", "z", "qw", "qx", "qy", "qz"])
        rows.writerows(
            [stamp, *T[:3, 3].tolist(), *se3.to_quaternion(T).tolist()] for stamp, T in sorted(poses.items())
        )
    for sweep in scene.sweeps:
        points = scene.read_points(sweep)
        path = folder / "sweeps" / sweep.lidar.channel / f"{sweep.timestamp_us}{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        if suffix == ".npz":
            np.savez(path, xyz=points.xyz_lidar, intensity=points.intensity, ring=points.ring)
        elif suffix == ".npy":
            np.save(path, np.column_stack([points.xyz_lidar, points.intensity, points.ring]).astype(np.float32))
        else:
            write_pcd(path, np.column_stack([points.xyz_lidar, points.intensity, points.ring]), "x y z intensity ring")
    for camera in scene.cameras:
        path = folder / "images" / camera.channel / f"{camera.timestamp_us}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(camera.image_path.read_bytes())
    with (folder / "boxes.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["timestamp_us", "track", "category", "x", "y", "z", "l", "w", "h", "yaw"])
        for track in scene.tracks:
            for stamp, T in zip(track.timestamps_us.tolist(), track.T_global_box, strict=True):
                yaw = float(np.arctan2(T[1, 0], T[0, 0]))
                rows.writerow([stamp, track.token, track.category, *T[:3, 3].tolist(), *track.size_lwh_m.tolist(), yaw])


def write_pcd(path: Path, table: np.ndarray, fields: str, *, encoding: str = "binary") -> None:
    """A PCD file of float32 columns."""
    n = len(fields.split())
    header = (
        f"# .PCD v0.7\nVERSION 0.7\nFIELDS {fields}\nSIZE{' 4' * n}\nTYPE{' F' * n}\nCOUNT{' 1' * n}\n"
        f"WIDTH {len(table)}\nHEIGHT 1\nVIEWPOINT 0 0 0 1 0 0 0\nPOINTS {len(table)}\nDATA {encoding}\n"
    )
    if encoding == "binary":
        body = table.astype("<f4").tobytes()
    else:
        body = "\n".join(" ".join(f"{value:.6g}" for value in row) for row in table).encode()
    path.write_bytes(header.encode() + body)
