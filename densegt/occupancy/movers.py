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
from densegt.occupancy.voxels import GridFrame

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
    cloud: Cloud, frame: GridFrame, allowed: NDArray[np.bool_], config: AccumulateConfig
) -> Iterator[PlacedMover]:
    """The movers in a keyframe's grid whose place is known then, with their surfels of sweeps (S,) allowed.

    Of what deforms only surfels measured at about that time; none that lie in the free space of the sweeps about it.
    """
    now_us = np.array([frame.timestamp_us], dtype=np.float64)
    now_s = (frame.timestamp_us - cloud.start_us) * 1e-6
    sweeps = nearest_sweeps(cloud, now_s, config)
    for index, (track, surfels) in enumerate(cloud.movers):
        if not len(surfels) or not track.known_at(now_us)[0]:
            continue
        before, now, after = track.poses_at(now_us + np.array([-HALF_S, 0.0, HALF_S]) * 1e6)
        if not is_near(frame, now, track.radius_m):
            continue
        kept = allowed[surfels.sweep]
        if track.deforming:
            kept &= np.abs(surfels.time_s - now_s) <= config.tracks.deforming_window_s
        surfels = surfels.take(kept)
        if config.motion in ("auto", "free") and len(surfels):
            surfels = surfels.take(~mover_violates_free_space(cloud, track, surfels, sweeps, config))
        yield PlacedMover(index, track, surfels, now, (after - before) / (2 * HALF_S))


def is_near(frame: GridFrame, T_global_box: Float64, radius_m: float) -> bool:
    """Whether a ball about a box's middle, and a metre more, may reach into a grid."""
    at = (frame.T_voxel_global @ T_global_box[:, 3])[:3]
    reach = (radius_m + 1.0) / frame.grid.voxel_m
    return bool((at >= -reach).all() and (at <= np.array(frame.grid.shape) + reach).all())
