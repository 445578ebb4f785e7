"""Keyframes: what detectors are trained and scored on, one sample with its cameras, its lidar sweep and its boxes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from densegt.datasets.nuscenes import rows
from densegt.datasets.nuscenes.reader import NuScenes
from densegt.datasets.scene import Camera, LidarModel, Sweep, Track
from densegt.errors import InputError

Float64 = NDArray[np.float64]
# Labels farther apart than this say nothing about the speed between them (twice that across both neighbours).
MAX_GAP_S = 1.5


@dataclass(frozen=True)
class Boxes:
    """The annotations of a keyframe (N of them).

    Attributes:
        categories, attributes: names; "" where there is no attribute.
        size_lwh_m: (N,3).
        T_global_box: (N,4,4); box frame: x ahead, y left, z up, origin in the middle.
        velocity_global_mps: (N,2), NaN where unknown.
        points: (N,) lidar and radar points in the box, -1 where nobody counted.
    """

    categories: tuple[str, ...]
    attributes: tuple[str, ...]
    size_lwh_m: Float64
    T_global_box: Float64
    velocity_global_mps: Float64
    points: NDArray[np.int64]


@dataclass(frozen=True)
class Keyframe:
    """One sample.

    Attributes:
        T_global_ego: (4,4), at the lidar's stamp; detections are said in this frame's global counterpart.
        cameras: in order of channel name.
    """

    scene: str
    sample_token: str
    timestamp_us: int
    lidar: Sweep
    cameras: tuple[Camera, ...]
    boxes: Boxes

    @property
    def T_global_ego(self) -> Float64:
        """Ego at the lidar's stamp."""
        return self.lidar.T_global_ego


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


def annotation_facts(dataset: NuScenes) -> Facts:
    """Attribute's name and number of points by (sample token, instance token).

    Raises:
        InputError: a table is missing or damaged, or an attribute has no name.
    """
    path = dataset.tables.path("sample_annotation")
    name_of = {row.token: row.name for row in rows.read_rows(dataset.tables.path("attribute"), _AttributeRow)}
    facts = {}
    for row in rows.read_rows(path, _AnnotationRow):
        for token in row.attribute_tokens[:1]:
            if token not in name_of:
                raise InputError(f"{path}: no attribute has token {token!r}")
        name = name_of[row.attribute_tokens[0]] if row.attribute_tokens else ""
        points = row.num_lidar_pts + row.num_radar_pts if row.num_lidar_pts >= 0 else -1
        facts[row.sample_token, row.instance_token] = name, points
    return facts


def keyframes_of(dataset: NuScenes, scene: str, facts: Facts) -> list[Keyframe]:
    """A scene's keyframes in order of time; only files of keyframes need be there.

    Raises:
        InputError: unknown scene, a missing file, a keyframe without lidar or camera.
    """
    # How the lidar turns matters to nobody here; to work it out would read a sweep.
    read = dataset.scene(scene, spin=LidarModel(), keyframes_only=True)
    samples = dataset.tables.scene_rows(dataset.scene_names.index(scene)).samples
    order = np.argsort(samples.timestamp_us, kind="stable")
    lidar_of = {sweep.sample_token: sweep for sweep in read.sweeps}
    found = []
    for row in order.tolist():
        token, stamp_us = samples.tokens[row], int(samples.timestamp_us[row])
        cameras = sorted((c for c in read.cameras if c.sample_token == token), key=lambda c: c.channel)
        if token not in lidar_of or not cameras:
            what = "camera image" if token in lidar_of else "lidar sweep"
            raise InputError(f"{dataset.tables.path('sample_data')}: keyframe {token} of {scene} has no {what}")
        boxes = _boxes_at(read.tracks, token, stamp_us, facts)
        found.append(Keyframe(scene, token, stamp_us, lidar_of[token], tuple(cameras), boxes))
    return found


def _boxes_at(tracks: tuple[Track, ...], sample_token: str, stamp_us: int, facts: Facts) -> Boxes:
    seen = [(t, int(np.searchsorted(t.timestamps_us, stamp_us))) for t in tracks]
    here = [(t, i) for t, i in seen if i < len(t.timestamps_us) and t.timestamps_us[i] == stamp_us]
    known = [facts.get((sample_token, t.token), ("", -1)) for t, _ in here]
    return Boxes(
        categories=tuple(t.category for t, _ in here),
        attributes=tuple(name for name, _ in known),
        size_lwh_m=np.array([t.size_lwh_m for t, _ in here]).reshape(-1, 3),
        T_global_box=np.array([t.T_global_box[i] for t, i in here]).reshape(-1, 4, 4),
        velocity_global_mps=np.array([velocity_mps(t, i) for t, i in here]).reshape(-1, 2),
        points=np.array([points for _, points in known], dtype=np.int64),
    )


def velocity_mps(track: Track, at: int) -> Float64:
    """Velocity (2,) in global between the labels before and after, as the devkit's `box_velocity`; NaN if unknown."""
    first, last = max(at - 1, 0), min(at + 1, len(track.timestamps_us) - 1)
    gap_s = float(track.timestamps_us[last] - track.timestamps_us[first]) * 1e-6
    if first == last or gap_s > MAX_GAP_S * (last - first):
        return np.full(2, np.nan)
    moved: Float64 = track.T_global_box[last, :2, 3] - track.T_global_box[first, :2, 3]
    return moved / gap_s
