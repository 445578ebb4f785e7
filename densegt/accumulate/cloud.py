"""All sweeps of a scene in one place: what stands still in global, what moves in its own frame."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from densegt.accumulate.config import AccumulateConfig
from densegt.accumulate.measurements import measure_scene
from densegt.accumulate.motion.box_time import at_their_time
from densegt.accumulate.motion.free_space import RangeImages
from densegt.accumulate.motion.point_assignment import assign_points
from densegt.accumulate.motion.points_in_boxes import STATIC
from densegt.accumulate.motion.track_refinement import refine_tracks
from densegt.accumulate.motion.tracks import ContinuousTrack
from densegt.accumulate.surfels import Surfels
from densegt.datasets.scene import Scene


@dataclass(frozen=True)
class Cloud:
    """A scene's surfels.

    Attributes:
        origin_global_m: (3,) float64, subtracted from global so that float32 suffices.
        start_us: the time that `Surfels.time_s` counts from.
        static: surfels in global minus origin.
        transient: surfels in global minus origin that other sweeps refute; true at their own time only.
        movers: for each track, its surfels in its box's frame; first the labelled ones, then those found.
        found: the tracks among them that no label told of.
        images: the sweeps as range images.
        sweep_times_s: (S,) s since start_us.
        period_s: duration of one turn.
        sample_tokens: the keyframe of each sweep index if that sweep is its own, else "".
    """

    origin_global_m: NDArray[np.float64]
    start_us: int
    static: Surfels
    transient: Surfels
    movers: tuple[tuple[ContinuousTrack, Surfels], ...]
    found: tuple[ContinuousTrack, ...]
    images: RangeImages
    sweep_times_s: NDArray[np.float64]
    period_s: float
    sample_tokens: tuple[str, ...]


def gather(
    scene: Scene,
    tracks: Sequence[ContinuousTrack],
    config: AccumulateConfig,
    *,
    skip_sweeps: frozenset[str] = frozenset(),
    progress: Callable[[], None] = lambda: None,
) -> Cloud:
    """Read every sweep, give each point its owner.

    Args:
        tracks: the labelled movers.
        skip_sweeps: tokens of sweeps to leave out.
        progress: called after each sweep.
    """
    measured = measure_scene(scene, config, skip_sweeps=skip_sweeps, progress=progress)
    tracks = at_their_time(tracks, measured, scene, config.tracks.box_time)
    tracks = refine_tracks(tracks, measured, config.tracks)
    owners = assign_points(measured, tracks, config)
    transient = measured.surfels.take(owners.passing)
    standing = np.flatnonzero((owners.owner == STATIC) & ~owners.passing)
    return Cloud(
        origin_global_m=measured.origin_global_m,
        start_us=measured.start_us,
        # Nobody asks for the others again, and two of the largest arrays need not be in memory at a time.
        static=measured.surfels.shrink_to(standing),
        transient=transient,
        movers=owners.movers,
        found=tuple(track for track, _ in owners.movers[len(tracks) :]),
        images=measured.images,
        sweep_times_s=np.array([(s.timestamp_us - measured.start_us) * 1e-6 for s in scene.sweeps]),
        period_s=max(sweep.lidar_model.period_s for sweep in scene.sweeps),
        sample_tokens=tuple(s.sample_token if s.is_keyframe else "" for s in scene.sweeps),
    )
