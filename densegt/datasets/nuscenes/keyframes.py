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
    num_lidar_pts: int | None = -1
    num_radar_pts: int | None = 0


class _AttributeRow(msgspec.Struct):
    token: str
    name: str


Facts = Mapping[tuple[str, str], tuple[str, int]]


def annotation_facts(tables: Tables) -> Facts:
    """Attribute's name and number of points by (sample token, instance token).

    Raises:
        InputError: a table is damaged, or an attribute has no name.
    """
    if tables.absent_label_tables:
        return {}
    path, attributes = tables.path("sample_annotation"), tables.path("attribute")
    named = rows.read_rows(attributes, _AttributeRow) if attributes.exists() else None
    name_of = {row.token: row.name for row in named or ()}
    facts = {}
    for row in rows.read_rows(path, _AnnotationRow):
        for token in row.attribute_tokens[:1]:
            if token not in name_of and named is not None:
                raise InputError(f"{path}: no attribute has token {token!r}")
        name = name_of.get(row.attribute_tokens[0], "") if row.attribute_tokens else ""
        lidar_points = -1 if row.num_lidar_pts is None else row.num_lidar_pts
        points = lidar_points + (row.num_radar_pts or 0) if lidar_points >= 0 else -1
        facts[row.sample_token, row.instance_token] = name, points
    return facts


def keyframes_of(scene: Scene, samples: Samples, facts: Facts, *, strict: bool) -> list[Keyframe]:
    """A scene's keyframes in order of time, without those that lack lidar or camera.

    Raises:
        InputError: there is none; strict: one lacks them.
    """
    order = np.argsort(samples.timestamp_us, kind="stable")
    found, lacking = [], []
    for row in order.tolist():
        token, stamp_us = samples.tokens[row], int(samples.timestamp_us[row])
        sweeps = tuple(sweep for sweep in scene.sweeps if sweep.sample_token == token)
        cameras = sorted((c for c in scene.cameras if c.sample_token == token), key=lambda c: c.channel)
        if not sweeps or not cameras:
            lacking.append(f"keyframe {token} has no {'camera image' if sweeps else 'lidar sweep'}")
            continue
        boxes = _boxes_at(scene.tracks, token, stamp_us, facts)
        found.append(Keyframe(scene.name, token, stamp_us, sweeps, tuple(cameras), boxes))
    if lacking and (strict or not found):
        raise InputError(f"{scene.name}: {lacking[0]}")
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
