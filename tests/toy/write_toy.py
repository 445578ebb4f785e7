"""Writes a simulated world in the toy format: its lidar as two that stand apart, each point with its own time."""

import json
import shutil

import numpy as np

from densegt.accumulation.config import AccumulateConfig
from densegt.accumulation.scene_input import read_scene
from densegt.accumulation.timing import point_times
from densegt.datasets import open_recording
from densegt.datasets.detection_classes import class_of
from densegt.geometry import se3

# The second lidar's own frame, seen from the first: it hangs upside down, half a metre lower.
T_SECOND = np.diag([1.0, -1.0, -1.0, 1.0])
T_SECOND[2, 3] = -0.5


def write_toy(world, out, names=("first", "second")):
    """The world's first scene, under several names."""
    recording = open_recording(world)
    scene = read_scene(recording, recording.scene_names[0], AccumulateConfig())
    out.mkdir()
    shutil.copytree(world / "samples", out / "samples", ignore=shutil.ignore_patterns("*.bin"))
    T_ego_lidar = scene.lidars[0].T_ego_lidar
    told = {
        "lidars": {"TOP": T_ego_lidar.tolist(), "LOW": (T_ego_lidar @ T_SECOND).tolist()},
        "sweeps": [row for i, sweep in enumerate(scene.sweeps) for row in _sweeps(scene, i, sweep, out)],
        "cameras": [_camera(camera) for camera in scene.cameras],
        "tracks": [
            {"token": t.token, "category": class_of(t.category), "kind": t.kind.value,
             "knots": [t.size_lwh_m.tolist(), t.timestamps_us.tolist(), t.T_global_box.tolist()]}
            for t in scene.tracks if class_of(t.category)
        ],
    }  # fmt: skip
    (out / "toy.json").write_text(json.dumps(dict.fromkeys(names, told)))


def _sweeps(scene, index, sweep, out):
    points = scene.read_points(sweep)
    times_s = point_times(points, sweep).astype(np.float32)
    for channel, T_lidar_first, mine in (
        ("TOP", np.eye(4), points.ring % 2 == 0),
        ("LOW", np.linalg.inv(T_SECOND), points.ring % 2 == 1),
    ):
        path = f"{channel}-{index}.npz"
        np.savez(
            out / path,
            xyz_lidar=se3.apply(T_lidar_first, points.xyz_lidar[mine]).astype(np.float32),
            intensity=points.intensity[mine],
            ring=points.ring[mine] // 2,
            time_s=times_s[mine],
        )
        yield {
            "token": f"{channel}-{index}", "sample_token": sweep.sample_token, "is_keyframe": sweep.is_keyframe,
            "path": path, "timestamp_us": sweep.timestamp_us, "lidar": channel,
            "T_global_ego": sweep.T_global_ego.tolist(),
        }  # fmt: skip


def _camera(camera):
    told = {name: getattr(camera, name) for name in ("token", "sample_token", "channel", "filename")}
    told |= {name: getattr(camera, name) for name in ("width_px", "height_px", "timestamp_us")}
    return told | {name: getattr(camera, name).tolist() for name in ("K", "T_ego_cam", "T_global_ego")}
