"""Movers in a keyframe's grid, each placed where it is at the keyframe's time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from densegt.accumulation.cloud import Cloud
from densegt.accumulation.config import AccumulateConfig
from densegt.accumulation.motion.tracks import ContinuousTrack
from densegt.accumulation.render.frustum import mover_violates_free_space, nearest_sweeps
from densegt.accumulation.surfels import Surfels

Float64 = NDArray[np.float64]
# Half the time over which a velocity is taken.
HALF_S = 0.05


@dataclass(frozen=True)
class PlacedMover:
    """A mover at a keyframe's time.

    Attributes:
        index: among the cloud's movers.
        surfels: in its box frame, those that are there then.
        T_global_box: (4,4); dT_global_box: (4,4) per s.
    """

    index: int
    track: ContinuousTrack
    surfels: Surfels
    T_global_box: Float64
    dT_global_box: Float64


def placed_movers(
    cloud: Cloud, time_us: int, allowed: NDArray[np.bool_], config: AccumulateConfig
) -> Iterator[PlacedMover]:
    """The movers whose place at a time is known, with their surfels of sweeps (S,) allowed.

    Of what deforms only surfels measured at about that time; none that lie in the free space of the sweeps about it.
    """
    now_us = np.array([time_us], dtype=np.float64)
    now_s = (time_us - cloud.start_us) * 1e-6
    sweeps = nearest_sweeps(cloud, now_s, config)
    for index, (track, surfels) in enumerate(cloud.movers):
        if not len(surfels) or not track.known_at(now_us)[0]:
            continue
        kept = allowed[surfels.sweep]
        if track.deforming:
            kept &= np.abs(surfels.time_s - now_s) <= config.tracks.deforming_window_s
        surfels = surfels.take(kept)
        if config.motion in ("auto", "free") and len(surfels):
            surfels = surfels.take(~mover_violates_free_space(cloud, track, surfels, sweeps, config))
        before, now, after = track.poses_at(now_us + np.array([-HALF_S, 0.0, HALF_S]) * 1e6)
        yield PlacedMover(index, track, surfels, now, (after - before) / (2 * HALF_S))
