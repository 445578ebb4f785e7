"""All sweeps of a scene in one place: what stands still in global, what moves in its own frame."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from densegt.accumulate.box_time import at_their_time
from densegt.accumulate.config import AccumulateConfig
from densegt.accumulate.freespace import RangeImages
from densegt.accumulate.measure import measure
from densegt.accumulate.movers import STATIC
from densegt.accumulate.owners import share_out
from densegt.accumulate.patches import Patches
from densegt.accumulate.refine_tracks import refine_tracks
from densegt.accumulate.tracks import ContinuousTrack
from densegt.datasets.scene import Scene


@dataclass(frozen=True)
class Cloud:
    """A scene's patches.

    Attributes:
        origin_global_m: (3,) float64, subtracted from global so that float32 suffices.
        start_us: the time that `Patches.time_s` counts from.
        static: patches in global minus origin.
        transient: patches in global minus origin that other sweeps refute; true at their own time only.
        movers: for each track, its patches in its box's frame; first the labelled ones, then those found.
        found: the tracks among them that no label told of.
        images: the sweeps as range images.
        sweep_times_s: (S,) s since start_us.
        period_s: duration of one turn.
        sample_tokens: the keyframe of each sweep index if that sweep is its own, else "".
    """

    origin_global_m: NDArray[np.float64]
    start_us: int
    static: Patches
    transient: Patches
    movers: tuple[tuple[ContinuousTrack, Patches], ...]
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
    measured = measure(scene, config, skip_sweeps=skip_sweeps, progress=progress)
    tracks = at_their_time(tracks, measured, scene, config.tracks.box_time)
    tracks = refine_tracks(tracks, measured, config.tracks)
    owners = share_out(measured, tracks, config)
    transient = measured.patches.take(owners.passing)
    standing = np.flatnonzero((owners.owner == STATIC) & ~owners.passing)
    return Cloud(
        origin_global_m=measured.origin_global_m,
        start_us=measured.start_us,
        # Nobody asks for the others again, and two of the largest arrays need not be in memory at a time.
        static=measured.patches.shrink_to(standing),
        transient=transient,
        movers=owners.movers,
        found=tuple(track for track, _ in owners.movers[len(tracks) :]),
        images=measured.images,
        sweep_times_s=np.array([(s.timestamp_us - measured.start_us) * 1e-6 for s in scene.sweeps]),
        period_s=scene.spin.period_s,
        sample_tokens=tuple(s.sample_token if s.is_keyframe else "" for s in scene.sweeps),
    )
