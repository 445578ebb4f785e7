"""Keyframes from nuScenes tables, with what `Track` leaves out: attributes and how many points a box holds."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import numpy as np

from densegt.datasets.detection_classes import class_of
from densegt.datasets.keyframes import Keyframe, KeyframeBoxes, velocity_mps
from densegt.datasets.nuscenes import rows
from densegt.datasets.nuscenes.columns import Samples
from densegt.datasets.nuscenes.tables import Tables
from densegt.datasets.scene import Scene, Track
from densegt.errors import InputError


class _AnnotationRow(msgspec.Struct):
    """sample_annotation.json: what `Track` leaves out."""

    sample_token: str
    instance_token: str
    attribute_tokens: list[str] = []
    num_lidar_pts: int = -1
    num_radar_pts: int = 0


class _AttributeRow(msgspec.Struct):
    token: str
    name: str


Facts = Mapping[tuple[str, str], tuple[str, int]]


def annotation_facts(tables: Tables) -> Facts:
    """Attribute's name and number of points by (sample token, instance token).

    Raises:
        InputError: a table is missing or damaged, or an attribute has no name.
    """
    path = tables.path("sample_annotation")
    name_of = {row.token: row.name for row in rows.read_rows(tables.path("attribute"), _AttributeRow)}
    facts = {}
    for row in rows.read_rows(path, _AnnotationRow):
        for token in row.attribute_tokens[:1]:
            if token not in name_of:
                raise InputError(f"{path}: no attribute has token {token!r}")
        name = name_of[row.attribute_tokens[0]] if row.attribute_tokens else ""
        points = row.num_lidar_pts + row.num_radar_pts if row.num_lidar_pts >= 0 else -1
        facts[row.sample_token, row.instance_token] = name, points
    return facts


def keyframes_of(scene: Scene, samples: Samples, facts: Facts) -> list[Keyframe]:
    """A scene's keyframes in order of time.

    Raises:
        InputError: a keyframe without lidar or camera.
    """
    order = np.argsort(samples.timestamp_us, kind="stable")
    found = []
    for row in order.tolist():
        token, stamp_us = samples.tokens[row], int(samples.timestamp_us[row])
        sweeps = tuple(sweep for sweep in scene.sweeps if sweep.sample_token == token)
        cameras = sorted((c for c in scene.cameras if c.sample_token == token), key=lambda c: c.channel)
        if not sweeps or not cameras:
            what = "camera image" if sweeps else "lidar sweep"
            raise InputError(f"{scene.name}: keyframe {token} has no {what}")
        boxes = _boxes_at(scene.tracks, token, stamp_us, facts)
        found.append(Keyframe(scene.name, token, stamp_us, sweeps, tuple(cameras), boxes))
    return found


def _boxes_at(tracks: tuple[Track, ...], sample_token: str, stamp_us: int, facts: Facts) -> KeyframeBoxes:
    seen = [(t, int(np.searchsorted(t.timestamps_us, stamp_us))) for t in tracks]
    here = [(t, i) for t, i in seen if i < len(t.timestamps_us) and t.timestamps_us[i] == stamp_us]
    known = [facts.get((sample_token, t.token), ("", -1)) for t, _ in here]
    return KeyframeBoxes(
        categories=tuple(t.category for t, _ in here),
        classes=tuple(class_of(t.category) for t, _ in here),
        attributes=tuple(name for name, _ in known),
        size_lwh_m=np.array([t.size_lwh_m for t, _ in here]).reshape(-1, 3),
        T_global_box=np.array([t.T_global_box[i] for t, i in here]).reshape(-1, 4, 4),
        velocity_global_mps=np.array([velocity_mps(t, i) for t, i in here]).reshape(-1, 2),
        points=np.array([points for _, points in known], dtype=np.int64),
    )
