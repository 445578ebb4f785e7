"""Keyframes: what detectors are trained and scored on, one sample with its cameras, its lidar sweeps and its boxes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from densegt.datasets.scene import Camera, Scene, Sweep, Track

Float64 = NDArray[np.float64]
# Labels farther apart than this say nothing about the speed between them (twice that across both neighbours).
MAX_GAP_S = 1.5


@dataclass(frozen=True)
class KeyframeBoxes:
    """The annotations of a keyframe (N of them).

    Attributes:
        categories: the format's own words.
        classes: detection classes, see `densegt.datasets.detection_classes`; None for what is none of them.
        attributes: names; "" where there is none.
        size_lwh_m: (N,3).
        T_global_box: (N,4,4); box frame: x ahead, y left, z up, origin in the middle.
        velocity_global_mps: (N,2), NaN where unknown.
        points: (N,) lidar and radar points in the box, -1 where nobody counted.
    """

    categories: tuple[str, ...]
    classes: tuple[str | None, ...]
    attributes: tuple[str, ...]
    size_lwh_m: Float64
    T_global_box: Float64
    velocity_global_mps: Float64
    points: NDArray[np.int64]


@dataclass(frozen=True)
class Keyframe:
    """One sample.

    Attributes:
        sweeps: one of each lidar, the main one first.
        cameras: in order of channel name.
    """

    scene: str
    sample_token: str
    timestamp_us: int
    sweeps: tuple[Sweep, ...]
    cameras: tuple[Camera, ...]
    boxes: KeyframeBoxes

    @property
    def T_global_ego(self) -> Float64:
        """Ego at the main lidar's stamp, (4,4); detections are given in this frame."""
        return self.sweeps[0].T_global_ego


def velocity_mps(track: Track, at: int) -> Float64:
    """Velocity (2,) in global between the labels before and after, as the devkit's `box_velocity`; NaN if unknown."""
    first, last = max(at - 1, 0), min(at + 1, len(track.timestamps_us) - 1)
    gap_s = float(track.timestamps_us[last] - track.timestamps_us[first]) * 1e-6
    if first == last or gap_s > MAX_GAP_S * (last - first):
        return np.full(2, np.nan)
    moved: Float64 = track.T_global_box[last, :2, 3] - track.T_global_box[first, :2, 3]
    return moved / gap_s


def keyframes_of(
    scene: Scene, class_of: Callable[[str], str | None], points: Callable[[Track, int], int] = lambda track, at: -1
) -> list[Keyframe]:
    """A scene's keyframes in order of time, of formats whose boxes have no attributes.

    Args:
        class_of: the detection class of a category.
        points: how many points a track's box holds, by its index in the track; -1 where nobody counted.
    """
    sweeps: dict[str, list[Sweep]] = {}
    cameras: dict[str, list[Camera]] = {}
    for sweep in scene.sweeps:
        if sweep.is_keyframe:
            sweeps.setdefault(sweep.sample_token, []).append(sweep)
    for camera in scene.cameras:
        cameras.setdefault(camera.sample_token, []).append(camera)
    found = []
    for token, mine in sweeps.items():
        seen = tuple(sorted(cameras.get(token, ()), key=lambda camera: camera.channel))
        stamp_us = mine[0].timestamp_us
        boxes = boxes_at(scene.tracks, stamp_us, class_of, points)
        found.append(Keyframe(scene.name, token, stamp_us, tuple(mine), seen, boxes))
    return found


def boxes_at(
    tracks: tuple[Track, ...],
    stamp_us: int,
    class_of: Callable[[str], str | None],
    points: Callable[[Track, int], int],
) -> KeyframeBoxes:
    """The tracks' boxes at one of their stamps, see `keyframes_of`."""
    seen = [(t, int(np.searchsorted(t.timestamps_us, stamp_us))) for t in tracks]
    here = [(t, i) for t, i in seen if i < len(t.timestamps_us) and t.timestamps_us[i] == stamp_us]
    return KeyframeBoxes(
        categories=tuple(t.category for t, _ in here),
        classes=tuple(class_of(t.category) for t, _ in here),
        attributes=("",) * len(here),
        size_lwh_m=np.array([t.size_lwh_m for t, _ in here]).reshape(-1, 3),
        T_global_box=np.array([t.T_global_box[i] for t, i in here]).reshape(-1, 4, 4),
        velocity_global_mps=np.array([velocity_mps(t, i) for t, i in here]).reshape(-1, 2),
        points=np.array([points(t, i) for t, i in here], dtype=np.int64),
    )
