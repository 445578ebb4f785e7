"""Detected tracks as a file that nuScenes' own tools read: automatic labels.

The format is that of nuScenes' tracking results (`meta` and `results`, boxes by sample token), which the devkit loads
(`nuscenes.eval.common.loaders.load_prediction` with `TrackingBox`), draws and scores. Rows for `sample_annotation.json`
would have to be inserted into a dataset's own tables and would pass for manual annotations.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from densegt.accumulation.motion.tracks import ContinuousTrack
from densegt.accumulation.surfels import Surfels
from densegt.depth.partial_file import write_whole
from densegt.geometry.se3 import to_quaternion

# The inputs used, as nuScenes asks for.
META = {"use_camera": False, "use_lidar": True, "use_radar": False, "use_map": False, "use_external": False}

# The tracking task's names for the kinds that a size suggests.
NAMES = {
    "human.pedestrian.adult": "pedestrian",
    "vehicle.bicycle": "bicycle",
    "vehicle.truck": "truck",
    "vehicle.car": "car",
}


def write_tracks(
    path: Path,
    scene_name: str,
    keyframes_us: Mapping[str, int],
    detected: Sequence[tuple[ContinuousTrack, Surfels]],
    *,
    period_s: float,
    start_us: int,
) -> None:
    """Write one scene's detected tracks at its keyframes; a file under its final name is complete.

    Args:
        keyframes_us: stamp of each sample's sweep by sample token; each gets a list of boxes, maybe empty.
        detected: tracks with their surfels, whose times count from `start_us`; `num_pts` is how many were measured
            within one turn of the stamp, `tracking_score` how their number compares with a hundred, at most 1.
        period_s: of a turn.
    """
    results = {
        token: [
            row
            for track, surfels in detected
            if track.known_at(np.array([stamp_us], dtype=np.float64))[0]
            for row in [_row(scene_name, token, stamp_us, track, _points(surfels, stamp_us, start_us, period_s))]
            if row["num_pts"]
        ]
        for token, stamp_us in keyframes_us.items()
    }
    write_whole(path, json.dumps({"meta": META, "results": results}, indent=1).encode() + b"\n")


def _points(surfels: Surfels, stamp_us: int, start_us: int, period_s: float) -> int:
    since_s = surfels.time_s - (stamp_us - start_us) * 1e-6
    return int((np.abs(since_s) <= period_s / 2).sum())


def _row(scene_name: str, sample_token: str, stamp_us: int, track: ContinuousTrack, points: int) -> dict[str, Any]:
    t_us = np.array([stamp_us - 5e3, stamp_us, stamp_us + 5e3], dtype=np.float64)
    T = track.poses_at(t_us)
    length, width, height = track.size_lwh_m
    return {
        "sample_token": sample_token,
        "translation": T[1, :3, 3].tolist(),
        "size": [float(width), float(length), float(height)],
        "rotation": to_quaternion(T[1]).tolist(),
        "velocity": ((T[2, :2, 3] - T[0, :2, 3]) / 0.01).tolist(),
        "num_pts": points,
        "tracking_id": f"{scene_name}-{track.token}",
        "tracking_name": NAMES.get(track.category, track.category.rsplit(".", maxsplit=1)[-1]),
        "tracking_score": min(1.0, points / 100),
    }
