"""When a box was true: at its keyframe's stamp, or when the beam passed the object.

A box is drawn around the points of one sweep. Whoever fits it to them as they stand in the file draws the object as it
was when the beam passed, up to a turn before the stamp: 0.75 m at 15 m/s. Whoever takes the time of each point into
account, as a simulator does, draws it at the stamp. The points themselves tell which: a box at the wrong time leaves
some of them outside at one end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from densegt.accumulate.config import BoxTimeConfig
from densegt.accumulate.measurements import Measurements
from densegt.accumulate.motion.tracks import ContinuousTrack
from densegt.datasets.scene import Scene
from densegt.geometry import se3

Float64 = NDArray[np.float64]

# Noise, and the time that the beam takes from one end of an object to the other.
MARGIN_M = 0.1


def at_their_time(
    tracks: Sequence[ContinuousTrack], measured: Measurements, scene: Scene, config: BoxTimeConfig
) -> list[ContinuousTrack]:
    """The tracks with each knot at the time when its box was true."""
    if config.model == "stamp" or not tracks:
        return list(tracks)
    stamps_s = np.array([(s.timestamp_us - measured.start_us) * 1e-6 for s in scene.sweeps])
    drawn = [_Drawn.of(track, measured, stamps_s) for track in tracks]
    if config.model == "azimuth" or _as_the_points_stand(drawn, config):
        return [d.when_seen() for d in drawn]
    return list(tracks)


def _as_the_points_stand(drawn: Sequence[_Drawn], config: BoxTimeConfig) -> bool:
    """Whether boxes hold clearly more points where they are drawn than where they were at each point's own time."""
    only_as_drawn = sum(d.only_as_drawn for d in drawn)
    only_at_own_time = sum(d.only_at_own_time for d in drawn)
    return only_as_drawn >= config.min_points and only_as_drawn > config.clearly * only_at_own_time


@dataclass(frozen=True)
class _Drawn:
    """A track's boxes and the points of the sweeps they were drawn on.

    Attributes:
        track: as annotated.
        delay_s: (M,) from stamp to the middle of the times of the points in the box, NaN where there are none.
        only_as_drawn: points in the box as drawn, but not in the box carried to the point's own time.
        only_at_own_time: the other way round.
    """

    track: ContinuousTrack
    delay_s: Float64
    only_as_drawn: int
    only_at_own_time: int

    @classmethod
    def of(cls, track: ContinuousTrack, measured: Measurements, stamps_s: Float64) -> _Drawn:
        """Looked up in the sweeps, whose stamps are given (S,) since the scene's start."""
        delay_s = np.full(len(track.knots_us), np.nan)
        only_as_drawn, only_at_own_time = 0, 0
        half_m = track.size_lwh_m / 2 + MARGIN_M
        for k, (stamp_us, T) in enumerate(zip(track.knots_us, track.T_global_box, strict=True)):
            stamp_s = (int(stamp_us) - measured.start_us) * 1e-6
            rows = _near(measured, stamps_s, stamp_s, T[:3, 3] - measured.origin_global_m, track.radius_m)
            xyz = measured.surfels.xyz[rows] + measured.origin_global_m
            time_s = measured.surfels.time_s[rows].astype(np.float64)
            as_drawn = _inside(xyz, T[None], half_m)
            if as_drawn.any():
                delay_s[k] = float(np.median(time_s[as_drawn])) - stamp_s
            if len(track.knots_us) > 1 and len(rows):
                then = _inside(xyz, track.poses_at(measured.start_us + time_s * 1e6), half_m)
                only_as_drawn += int((as_drawn & ~then).sum())
                only_at_own_time += int((then & ~as_drawn).sum())
        return cls(track, delay_s, only_as_drawn, only_at_own_time)

    def when_seen(self) -> ContinuousTrack:
        """The track with its knots at the times when the beam passed; those of empty boxes as of their neighbours."""
        known = np.isfinite(self.delay_s)
        if not known.any():
            return self.track
        knots_us = self.track.knots_us
        delay_us = np.interp(knots_us, knots_us[known], self.delay_s[known] * 1e6)
        return replace(self.track, knots_us=knots_us + np.rint(delay_us).astype(np.int64))


def _near(
    measured: Measurements, stamps_s: Float64, stamp_s: float, middle: Float64, radius_m: float
) -> NDArray[np.intp]:
    """Rows of the sweeps of that stamp, one of each lidar, that lie near a place or were there within a turn."""
    found = [np.zeros(0, dtype=np.intp)]
    for s in np.flatnonzero(np.abs(stamps_s - stamp_s) <= 1e-3):
        first, end = measured.first[s : s + 2]
        near = np.linalg.norm(measured.surfels.xyz[first:end] - middle, axis=1) < radius_m + 3.0
        found.append(first + np.flatnonzero(near & ~measured.mixed[first:end]))
    return np.concatenate(found)


def _inside(xyz: Float64, T_global_box: Float64, half_m: Float64) -> NDArray[np.bool_]:
    """Which points (N,3) lie in a box's upper part, its pose given once or for each: wheels and road do not count."""
    T_box_global = se3.inverse(T_global_box)
    xyz_box = np.einsum("nij,nj->ni", np.broadcast_to(T_box_global[:, :3, :3], (len(xyz), 3, 3)), xyz)
    xyz_box += T_box_global[:, :3, 3]
    held: NDArray[np.bool_] = (np.abs(xyz_box) <= half_m).all(axis=1) & (xyz_box[:, 2] > -0.6 * half_m[2])
    return held
