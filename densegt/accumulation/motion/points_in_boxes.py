"""Which points belong to which moving object, and those points in the object's own frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from densegt.accumulation.config import TracksConfig
from densegt.accumulation.measurements import Measurements
from densegt.accumulation.motion.tracks import ContinuousTrack
from densegt.accumulation.surfels import Surfels
from densegt.kernels.assign_points import (
    MovingBoxes,
    SampledPoses,
    TimedPoints,
    assign_points_to_boxes,
    move_into_box,
)

STATIC = -1
AMBIGUOUS = -2

# Between poses this far apart a straight line is exact: a dt^2 / 8 is 0.03 mm at 10 m/s2.
STEP_S = 0.005

# A box's own error, and what sticks out of it.
BESIDE_M = 0.35


class SampledMotion(SampledPoses):
    """Every track's pose at small steps of time, in global minus the scene's origin; times as `Surfels.time_s`."""

    @classmethod
    def of(cls, tracks: Sequence[ContinuousTrack], measured: Measurements) -> SampledMotion:
        """Over the time of all sweeps."""
        time_s = measured.surfels.time_s
        lo, hi = (float(time_s.min()), float(time_s.max())) if len(time_s) else (0.0, 0.0)
        count = max(2, int(np.ceil((hi - lo) / STEP_S)) + 2)
        t_us = measured.start_us + (lo + np.arange(count) * STEP_S) * 1e6
        poses = np.empty((len(tracks), count, 3, 4))
        for k, track in enumerate(tracks):
            T = track.poses_at(t_us)[:, :3]
            T[:, :, 3] -= measured.origin_global_m
            poses[k] = T
        return cls(poses, lo, STEP_S)

    def middles(self, times_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """Where each box is at times (S,), (K,S,3) m."""
        k = np.clip(np.rint((times_s - self.start_s) / self.step_s), 0, self.T_origin_box.shape[1] - 1).astype(int)
        out: NDArray[np.float64] = np.ascontiguousarray(self.T_origin_box[:, k][..., 3])
        return out


def assign_to_boxes(
    measured: Measurements, tracks: Sequence[ContinuousTrack], motion: SampledMotion, config: TracksConfig
) -> NDArray[np.int32]:
    """The moving object whose widened box holds each point at the point's own time: (N,) index into tracks.

    Points in the lowest slice of a box may be wheel or road and are left out (`AMBIGUOUS`). Of several boxes the one
    whose middle is nearest counts. A track of unknown pose holds nothing. All other points are `STATIC`.
    """
    surfels = measured.surfels
    owner = np.full(len(surfels), STATIC, dtype=np.int32)
    if not len(surfels) or not tracks:
        return owner
    middle_s = measured.middle_s
    size = np.array([track.size_lwh_m for track in tracks])
    boxes = MovingBoxes(
        centre=motion.middles(middle_s),
        known=np.array([track.known_at(measured.start_us + middle_s * 1e6) for track in tracks]),
        # 3 m more than the box's radius, since a fast object moves within the turn.
        radius_m=np.array([track.radius_m + 3.0 for track in tracks]),
        half_m=size / 2 + config.margin_m,
        ambiguous_below_m=np.minimum(config.ground_clearance_m, 0.4 * size[:, 2]) - size[:, 2] / 2,
    )
    points = TimedPoints(surfels.xyz, surfels.time_s, measured.first)
    assign_points_to_boxes(points, boxes, motion, STATIC, AMBIGUOUS, owner)
    return owner


def near_boxes(
    measured: Measurements,
    eligible: NDArray[np.bool_],
    tracks: Sequence[ContinuousTrack],
    motion: SampledMotion,
    config: TracksConfig,
) -> NDArray[np.bool_]:
    """Which of the surfels `eligible` (N,) lie just beside a box, (N,): parts of its object that the box misses."""
    rows = np.flatnonzero(eligible)
    near = np.zeros(len(eligible), dtype=np.bool_)
    if len(rows) and tracks:
        surfels = measured.surfels.take(rows)
        first = np.searchsorted(rows, measured.first)
        part = replace(
            measured, surfels=surfels, mixed=measured.mixed[rows], bloomed=measured.bloomed[rows], first=first
        )
        wider = config.model_copy(update={"margin_m": config.margin_m + BESIDE_M})
        near[rows] = assign_to_boxes(part, tracks, motion, wider) != STATIC
    return near


def points_in_box_frame(surfels: Surfels, rows: NDArray[np.intp], motion: SampledMotion, track: int) -> Surfels:
    """Some surfels in the frame of one object, each carried there from its own time."""
    xyz = np.empty((len(rows), 3), dtype=np.float32)
    tangents = np.empty((len(rows), 2, 3), dtype=np.float32)
    points = TimedPoints(surfels.xyz, surfels.time_s, np.array([0, len(surfels)]))
    move_into_box(points, surfels.tangents, rows, motion, track, xyz, tangents)
    return Surfels(xyz, tangents, surfels.half_m[rows], surfels.time_s[rows], surfels.sweep[rows])
