"""Annotations: boxes of labelled things at keyframes, where the lidar saw at least a point of them."""

from __future__ import annotations

from dataclasses import dataclass
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from densegt.simulate.config import SimulateConfig
from densegt.simulate.drive import Drive, Thing
from densegt.simulate.writer.tables import Row, chain, pose_fields, token

Float64 = NDArray[np.float64]

MAX_DISTANCE_M = 70.0


@dataclass(frozen=True)
class Sighting:
    """A keyframe's view of the things (N,): lidar points on each, and the share of its pixels that no other hides."""

    sample_token: str
    t_s: float
    lidar_points: NDArray[np.int64]
    visible: Float64


def instance_token(scene: str, seed: int, index: int) -> str:
    """Token of a thing's instance."""
    return token(seed, scene, "instance", index)


def annotate(
    drive: Drive, scene: str, config: SimulateConfig, sightings: list[Sighting]
) -> tuple[list[Row], list[Row]]:
    """Rows of instance and sample_annotation."""
    instances, annotations = [], []
    for index, thing in enumerate(drive.things):
        if not thing.labelled:
            continue
        rng = np.random.default_rng([config.seed, crc32(scene.encode()), index])
        size = thing.size_lwh_m * (1 + rng.normal(0, config.box_noise_m / 5, 3))
        owner = instance_token(scene, config.seed, index)
        rows = [
            _annotation(drive, thing, size, seen, owner, int(seen.lidar_points[index]), float(seen.visible[index]))
            | pose_fields(_box_pose(drive, thing, seen.t_s, config.box_noise_m, rng))
            for seen in sightings
            if seen.lidar_points[index] > 0 and _distance_m(drive, thing, seen.t_s) < MAX_DISTANCE_M
        ]
        rows = _kept(rows, config, np.random.default_rng([config.seed, crc32(scene.encode()), index, 0x1A7E]))
        if rows:
            annotations += chain(rows)
            instances.append(_instance(owner, thing, rows))
    return instances, annotations


def _kept(rows: list[Row], config: SimulateConfig, rng: np.random.Generator) -> list[Row]:
    """The boxes of a thing that annotators did not overlook: some tracks begin late, single boxes are missing."""
    late = rng.random() < config.late_boxes
    first = int(rng.integers(1, len(rows) // 2 + 1)) if late and len(rows) > 1 else 0
    return [row for row, draw in zip(rows[first:], rng.random(len(rows)), strict=False) if draw >= config.missing_boxes]


def _distance_m(drive: Drive, thing: Thing, t_s: float) -> float:
    t = np.array([t_s])
    return float(np.linalg.norm(thing.motion.state(t)[0, :2] - drive.ego.state(t)[0, :2]))


def _box_pose(drive: Drive, thing: Thing, t_s: float, noise_m: float, rng: np.random.Generator) -> Float64:
    """T_global_box at the keyframe, off by the annotators' noise."""
    T: Float64 = drive.T_global_world @ thing.T_world_box(np.array([t_s]))[0]
    shift, turn = rng.normal(0, 1, 3) * [noise_m, noise_m, noise_m / 2], rng.normal(0, noise_m / 5)
    c, s = np.cos(turn), np.sin(turn)
    T[:3, :3] = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]) @ T[:3, :3]
    T[:3, 3] += shift
    return T


def _annotation(
    drive: Drive, thing: Thing, size_lwh_m: Float64, seen: Sighting, owner: str, points: int, visible: float
) -> Row:
    level = 1 + int(np.searchsorted([0.4, 0.6, 0.8], visible, side="right"))
    attribute = attribute_of(thing, seen.t_s)
    return {
        "token": token(owner, seen.sample_token),
        "sample_token": seen.sample_token,
        "instance_token": owner,
        "visibility_token": str(level),
        "attribute_tokens": [token("attribute", attribute)] if attribute else [],
        "size": [float(size_lwh_m[1]), float(size_lwh_m[0]), float(size_lwh_m[2])],
        "num_lidar_pts": points,
        "num_radar_pts": 0,
    }


def attribute_of(thing: Thing, t_s: float) -> str | None:
    """nuScenes attribute of a thing at a time."""
    category = thing.category
    step = np.diff(thing.motion.state(np.array([t_s - 0.05, t_s + 0.05]))[:, :2], axis=0)[0]
    moves = float(np.hypot(*step)) > 0.02
    if category == "vehicle.bicycle":
        return "cycle.with_rider"
    if category.startswith("human"):
        return "pedestrian.moving" if moves else "pedestrian.standing"
    if category.startswith("vehicle"):
        return "vehicle.moving" if moves else ("vehicle.stopped" if thing.moving else "vehicle.parked")
    return None


def _instance(owner: str, thing: Thing, rows: list[Row]) -> Row:
    return {
        "token": owner,
        "category_token": token("category", thing.category),
        "nbr_annotations": len(rows),
        "first_annotation_token": rows[0]["token"],
        "last_annotation_token": rows[-1]["token"],
    }
