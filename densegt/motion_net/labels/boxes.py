"""Labels from annotated boxes: what lies in a box moves as the box does, all else stands."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from densegt.accumulation.config import AccumulateConfig
from densegt.accumulation.motion.tracks import ContinuousTrack
from densegt.datasets.scene import Scene, Track
from densegt.errors import InputError
from densegt.motion_net.classes import class_of_category
from densegt.motion_net.labels.point_labels import UNKNOWN, PointLabels, moving_by_speed
from densegt.motion_net.scans import SceneScans

# Beside a box nothing is asked: the box may be off, or the object may stick out of it.
BESIDE_M = 0.4
# Below so much of a box may be road.
LOW_M = 0.15


def box_labels(root: Path, scene: Scene, scans: SceneScans, config: AccumulateConfig) -> PointLabels:
    """Of a scene with boxes; between boxes of a track it is where a smooth motion says.

    Raises:
        InputError: the scene has no box.
    """
    if not scene.tracks:
        raise InputError(f"scene {scene.name}: no box in it to learn from; --labels auto needs none")
    out = PointLabels.nothing(len(scans.xyz), moving=0)
    for number, track in enumerate(scene.tracks, start=1):
        label_track(out, number, _continuous(track, config), scans)
    return out


def label_track(out: PointLabels, number: int, track: ContinuousTrack, scans: SceneScans) -> None:
    """Give the points in a track's box its number, class, speed and middle; unknown are those at its border."""
    half = track.size_lwh_m / 2
    for k in range(len(scans.sweeps)):
        here = slice(int(scans.first[k]), int(scans.first[k + 1]))
        if here.stop == here.start:
            continue
        times_us = scans.start_us + scans.time_s[[here.start, here.stop - 1]].astype(np.float64) * 1e6
        if not track.known_at(times_us).any():
            continue
        middle = track.poses_at(times_us[:1])[0, :2, 3] - scans.origin_global_m[:2]
        near = here.start + np.flatnonzero(np.abs(scans.xyz[here, :2] - middle).max(axis=1) < track.radius_m + 5.0)
        if not len(near):
            continue
        at_us = scans.start_us + scans.time_s[near].astype(np.float64) * 1e6
        T, T_later = track.poses_at(at_us), track.poses_at(at_us + 5e4)
        at = np.einsum("nji,nj->ni", T[:, :3, :3], scans.xyz[near] + scans.origin_global_m - T[:, :3, 3])
        known = track.known_at(at_us)
        beyond = np.abs(at) - half
        inside = known & (beyond[:, :2] < 0.1).all(axis=1) & (beyond[:, 2] < 0.1)
        beside = known & (beyond[:, :2] < BESIDE_M).all(axis=1) & (beyond[:, 2] < BESIDE_M)
        low = at[:, 2] < LOW_M - half[2]
        speed = (np.linalg.norm(T_later[:, :2, 3] - T[:, :2, 3], axis=1) / 0.05).astype(np.float32)
        moving = moving_by_speed(speed)
        # What stands is not told from what it stands on, and need not be.
        unsure = near[beside & (~inside | low) & (moving != 0)]
        out.moving[unsure[out.thing[unsure] == 0]] = UNKNOWN
        rows = np.flatnonzero(inside & ~low)
        at_rows = near[rows]
        out.thing[at_rows] = number
        out.moving[at_rows] = moving[rows]
        out.speed_mps[at_rows] = speed[rows]
        out.kind[at_rows] = class_of_category(track.category)
        out.centre[at_rows] = T[rows, :2, 3] - scans.origin_global_m[:2]


def _continuous(track: Track, config: AccumulateConfig) -> ContinuousTrack:
    return ContinuousTrack(
        token=track.token, category=track.category, size_lwh_m=track.size_lwh_m, deforming=track.kind.deforms,
        knots_us=track.timestamps_us, T_global_box=track.T_global_box,
        max_extrapolation_s=config.tracks.max_extrapolation_s, max_gap_s=config.tracks.max_gap_s,
    )  # fmt: skip
