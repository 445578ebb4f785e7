"""Points of a keyframe's own sweeps and of those before it, as many in each sample."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from densegt.datasets.keyframes import Keyframe
from densegt.datasets.recording import Recording
from densegt.datasets.scene import Points, Sweep
from densegt.geometry import se3

# nuScenes' lidar gives no more in a turn; of more every so many are taken. What is nearer than this is the car itself.
MAX_POINTS = 40_000
MIN_RANGE_M = 1.5


def aged_points(
    sweeps: Sequence[tuple[Sweep, Points]], T_ref_global: NDArray[np.float64], stamp_us: int, *, turns: int = 1
) -> NDArray[np.float32]:
    """(turns MAX_POINTS,4) m in ref and s before a stamp, of all lidars; NaN is padding.

    Points are where the ego's motion puts them: what stands still lies on itself, what moves leaves a trail.
    """
    found = []
    for sweep, points in sweeps:
        far = np.linalg.norm(points.xyz_lidar, axis=1) > MIN_RANGE_M
        T_ref_lidar = T_ref_global @ sweep.T_global_lidar
        xyz_ref = se3.apply(T_ref_lidar, points.xyz_lidar[far].astype(np.float64))
        age_s = np.full((len(xyz_ref), 1), (stamp_us - sweep.timestamp_us) * 1e-6)
        found.append(np.concatenate([xyz_ref, age_s], 1))
    every, most = np.concatenate(found), turns * MAX_POINTS
    if len(every) > most:
        every = every[np.arange(most) * len(every) // most]
    padded = np.full((most, 4), np.nan, np.float32)
    padded[: len(every)] = every
    return padded


class EarlierSweeps:
    """The sweeps before each keyframe, of every lidar; scenes are read when they are first asked for.

    Args:
        count: of each lidar, beside the keyframe's own; a scene's first keyframes have fewer.
    """

    def __init__(self, recording: Recording, count: int) -> None:
        self._recording, self._count = recording, count
        self._scenes: dict[str, dict[str, list[Sweep]]] = {}

    def before(self, keyframe: Keyframe) -> list[tuple[Sweep, Points]]:
        """Newest first, with their points."""
        if not self._count:
            return []
        found = []
        for own in keyframe.sweeps:
            earlier = [
                s for s in self._of(keyframe.scene).get(own.lidar.channel, ()) if s.timestamp_us < own.timestamp_us
            ]
            found += earlier[::-1][: self._count]
        return [(sweep, self._recording.read_points(sweep)) for sweep in found]

    def _of(self, scene: str) -> dict[str, list[Sweep]]:
        if scene not in self._scenes:
            by_lidar: dict[str, list[Sweep]] = {}
            for sweep in sorted(self._recording.scene(scene).sweeps, key=lambda each: each.timestamp_us):
                by_lidar.setdefault(sweep.lidar.channel, []).append(sweep)
            self._scenes[scene] = by_lidar
        return self._scenes[scene]
