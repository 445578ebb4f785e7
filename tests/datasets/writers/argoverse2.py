"""Writes a scene as an Argoverse 2 log: for tests, from the simulated world in any format that is read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import ipc
from scipy.spatial.transform import Rotation

from densegt.accumulation.timing import point_times
from densegt.datasets.scene import Scene, Sweep
from densegt.geometry import se3

UP, DOWN = "up_lidar", "down_lidar"
# Hung upside down below the upper lidar; it has no return in what is written here.
T_UP_DOWN = se3.from_quaternion([0.0, 1.0, 0.0, 0.0], [0.0, 0.0, -0.1])


def write_log(scene: Scene, folder: Path, *, xyz_dtype: str = "f2") -> None:
    """One log with all returns in the upper lidar: stamps as they are, each point's offset before or after it."""
    sensors = {UP: scene.lidars[0].T_ego_lidar, DOWN: scene.lidars[0].T_ego_lidar @ T_UP_DOWN}
    cameras = {camera.channel: camera for camera in scene.cameras}
    sensors |= {channel: camera.T_ego_cam for channel, camera in cameras.items()}
    poses = {s.timestamp_us: s.T_global_ego for s in scene.sweeps}
    poses |= {c.timestamp_us: c.T_global_ego for c in scene.cameras}
    write_feather(
        folder / "city_SE3_egovehicle.feather",
        {"timestamp_ns": np.array(list(poses), dtype=np.int64) * 1000, **_pose_columns(list(poses.values()))},
    )
    write_feather(
        folder / "calibration" / "egovehicle_SE3_sensor.feather",
        {"sensor_name": list(sensors), **_pose_columns(list(sensors.values()))},
    )
    write_feather(folder / "calibration" / "intrinsics.feather", _intrinsics(cameras))
    for sweep in scene.sweeps:
        _write_sweep(scene, sweep, folder, xyz_dtype)
    for camera in scene.cameras:
        path = folder / "sensors" / "cameras" / camera.channel / f"{camera.timestamp_us * 1000}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(camera.image_path.read_bytes())
    _write_annotations(scene, folder / "annotations.feather", poses)


def write_feather(path: Path, columns: dict[str, Any]) -> None:
    """A table in feather's second version."""
    path.parent.mkdir(parents=True, exist_ok=True)
    table = pa.table({name: pa.array(values) for name, values in columns.items()})
    with pa.OSFile(str(path), "wb") as file, ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)


def _pose_columns(poses: list[np.ndarray]) -> dict[str, np.ndarray]:
    T = np.stack(poses)
    x, y, z, w = Rotation.from_matrix(T[:, :3, :3]).as_quat().T
    names = ("qw", "qx", "qy", "qz", "tx_m", "ty_m", "tz_m")
    return dict(zip(names, (w, x, y, z, *T[:, :3, 3].T), strict=True))


def _intrinsics(cameras: dict[str, Any]) -> dict[str, Any]:
    K = np.stack([camera.K for camera in cameras.values()])
    return {
        "sensor_name": list(cameras),
        **{"fx_px": K[:, 0, 0], "fy_px": K[:, 1, 1], "cx_px": K[:, 0, 2], "cy_px": K[:, 1, 2]},
        **dict.fromkeys(("k1", "k2", "k3"), np.full(len(cameras), -0.2)),
        "height_px": np.array([camera.height_px for camera in cameras.values()], dtype=np.uint16),
        "width_px": np.array([camera.width_px for camera in cameras.values()], dtype=np.uint16),
    }


def _write_sweep(scene: Scene, sweep: Sweep, folder: Path, xyz_dtype: str) -> None:
    points = scene.read_points(sweep)
    assert sweep.lidar_model.compensated
    xyz_ego = se3.apply(sweep.T_ego_lidar, points.xyz_lidar).astype(xyz_dtype)
    write_feather(
        folder / "sensors" / "lidar" / f"{sweep.timestamp_us * 1000}.feather",
        {
            **dict(zip("xyz", xyz_ego.T.copy(), strict=True)),
            "intensity": np.clip(points.intensity, 0, 255).astype(np.uint8),
            "laser_number": points.ring.astype(np.uint8),
            "offset_ns": np.rint(point_times(points, sweep) * 1e9).astype(np.int32),
        },
    )


def _write_annotations(scene: Scene, path: Path, poses: dict[int, np.ndarray]) -> None:
    """Every box in the ego frame at its stamp; categories by their kind."""
    names = {"vehicle.car": "REGULAR_VEHICLE", "human.pedestrian.adult": "PEDESTRIAN", "vehicle.bicycle": "BICYCLE"}
    rows, boxes = [], []
    for track in scene.tracks:
        for stamp_us, T_global_box in zip(track.timestamps_us.tolist(), track.T_global_box, strict=True):
            boxes.append(se3.inverse(poses[stamp_us]) @ T_global_box)
            category = names.get(track.category, _other(track.category))
            rows.append((stamp_us * 1000, track.token, category, *track.size_lwh_m))
    stamps, tokens, categories, length, width, height = zip(*rows, strict=True)
    write_feather(
        path,
        {
            "timestamp_ns": np.array(stamps, dtype=np.int64),
            "track_uuid": list(tokens),
            "category": list(categories),
            **{"length_m": np.array(length), "width_m": np.array(width), "height_m": np.array(height)},
            **_pose_columns(boxes),
            "num_interior_pts": np.ones(len(rows), dtype=np.int64),
        },
    )


def _other(category: str) -> str:
    kinds = {"vehicle.bus": "BUS", "vehicle.truck": "BOX_TRUCK", "vehicle.motorcycle": "MOTORCYCLE"}
    kinds |= {"human.": "PEDESTRIAN", "vehicle.trailer": "VEHICULAR_TRAILER", "vehicle.": "LARGE_VEHICLE"}
    return next((name for prefix, name in kinds.items() if category.startswith(prefix)), "BOLLARD")
