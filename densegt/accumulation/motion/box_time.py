"""The time at which an annotated box is valid: its keyframe's stamp, or the time at which the beam passed the object.

A box is annotated around the points of one sweep. Fitted to them as they stand in the file it shows the object as the
beam passed, up to a turn before the stamp: 0.75 m at 15 m/s. With the time of each point taken into account, as in a
simulation, it is valid at the stamp. The points decide: a box at the wrong time leaves some of them outside at one end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from densegt.accumulation.config import BoxTimeConfig
from densegt.accumulation.measurements import Measurements
from densegt.accumulation.motion.tracks import ContinuousTrack
from densegt.datasets.scene import Scene
from densegt.geometry import se3

Float64 = NDArray[np.float64]

# Noise, and the time that the beam takes from one end of an object to the other.
MARGIN_M = 0.1


def tracks_at_measured_time(
    tracks: Sequence[ContinuousTrack], measured: Measurements, scene: Scene, config: BoxTimeConfig
) -> list[ContinuousTrack]:
    """The tracks with each knot at the time at which its box is valid."""
    if config.model == "stamp" or not tracks:
        return list(tracks)
    stamps_s = np.array([(s.timestamp_us - measured.start_us) * 1e-6 for s in scene.sweeps])
    annotated = [_AnnotatedBoxes.of(track, measured, stamps_s) for track in tracks]
    if config.model == "azimuth" or _fits_uncorrected_points(annotated, config):
        return [boxes.at_beam_time() for boxes in annotated]
    return list(tracks)


def _fits_uncorrected_points(annotated: Sequence[_AnnotatedBoxes], config: BoxTimeConfig) -> bool:
    """Whether boxes hold clearly more points where they are annotated than when carried to each point's own time."""
    only_annotated = sum(boxes.only_annotated for boxes in annotated)
    only_at_own_time = sum(boxes.only_at_own_time for boxes in annotated)
    return only_annotated >= config.min_points and only_annotated > config.clearly * only_at_own_time


@dataclass(frozen=True)
class _AnnotatedBoxes:
    """A track's boxes and the points of the sweeps they were annotated on.

    Attributes:
        track: as annotated.
        delay_s: (M,) from stamp to the middle of the times of the points in the box, NaN where there are none.
        only_annotated: points in the box as annotated, but not in the box carried to the point's own time.
        only_at_own_time: the other way round.
    """

    track: ContinuousTrack
    delay_s: Float64
    only_annotated: int
    only_at_own_time: int

    @classmethod
    def of(cls, track: ContinuousTrack, measured: Measurements, stamps_s: Float64) -> _AnnotatedBoxes:
        """From the sweeps, whose stamps are given (S,) s since the scene's start."""
        delay_s = np.full(len(track.knots_us), np.nan)
        only_annotated, only_at_own_time = 0, 0
        half_m = track.size_lwh_m / 2 + MARGIN_M
        for k, (stamp_us, T) in enumerate(zip(track.knots_us, track.T_global_box, strict=True)):
            stamp_s = (int(stamp_us) - measured.start_us) * 1e-6
            rows = _near(measured, stamps_s, stamp_s, T[:3, 3] - measured.origin_global_m, track.radius_m)
            xyz = measured.surfels.xyz[rows] + measured.origin_global_m
            time_s = measured.surfels.time_s[rows].astype(np.float64)
            inside = _inside(xyz, T[None], half_m)
            if inside.any():
                delay_s[k] = float(np.median(time_s[inside])) - stamp_s
            if len(track.knots_us) > 1 and len(rows):
                then = _inside(xyz, track.poses_at(measured.start_us + time_s * 1e6), half_m)
                only_annotated += int((inside & ~then).sum())
                only_at_own_time += int((then & ~inside).sum())
        return cls(track, delay_s, only_annotated, only_at_own_time)

    def at_beam_time(self) -> ContinuousTrack:
        """The track with its knots at the times at which the beam passed; empty boxes take their neighbours' delay."""
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
    rows = [np.zeros(0, dtype=np.intp)]
    for s in np.flatnonzero(np.abs(stamps_s - stamp_s) <= 1e-3):
        first, end = measured.first[s : s + 2]
        near = np.linalg.norm(measured.surfels.xyz[first:end] - middle, axis=1) < radius_m + 3.0
        rows.append(first + np.flatnonzero(near & ~measured.mixed[first:end]))
    return np.concatenate(rows)


def _inside(xyz: Float64, T_global_box: Float64, half_m: Float64) -> NDArray[np.bool_]:
    """Which points (N,3) lie in a box's upper part, its pose given once or for each: wheels and road do not count."""
    T_box_global = se3.inverse(T_global_box)
    xyz_box = np.einsum("nij,nj->ni", np.broadcast_to(T_box_global[:, :3, :3], (len(xyz), 3, 3)), xyz)
    xyz_box += T_box_global[:, :3, 3]
    held: NDArray[np.bool_] = (np.abs(xyz_box) <= half_m).all(axis=1) & (xyz_box[:, 2] > -0.6 * half_m[2])
    return held
