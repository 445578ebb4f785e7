"""All sweeps of a scene in one place: what is static in global, what moves in its own frame."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from densegt.accumulation.moments import Moments
from densegt.accumulation.motion.tracks import ContinuousTrack
from densegt.accumulation.surfels import Surfels
from densegt.datasets.scene import Camera
from densegt.kernels.frustum import BLOCK_ROWS, block_bounds
from densegt.kernels.range_images import RangeImages


@dataclass(frozen=True)
class Cloud:
    """A scene's surfels.

    Attributes:
        origin_global_m: (3,) float64, subtracted from global so that float32 suffices.
        start_us: the time that `Surfels.time_s` counts from.
        static: surfels in global minus origin.
        transient: surfels in global minus origin that violate other sweeps' free space; valid at their own time only.
        movers: each track with its surfels in its box frame; first the annotated ones, then those detected.
        detected_tracks: the tracks among them that have no annotation.
        vehicles: annotated vehicles, standing and moving: bodies that a beam enters through a window only.
        images: the sweeps as range images.
        moments: which sweeps (S) are of which lidar and moment.
        sweep_times_s: (S,) s since start_us.
        period_s: duration of one turn, the longest of several lidars'.
        cameras: the scene's keyframe cameras; their poses are refined as those of the sweeps are.
        sample_tokens: the keyframe of each sweep index if that sweep is its own, else "".
    """

    origin_global_m: NDArray[np.float64]
    start_us: int
    static: Surfels
    transient: Surfels
    movers: tuple[tuple[ContinuousTrack, Surfels], ...]
    detected_tracks: tuple[ContinuousTrack, ...]
    images: RangeImages
    moments: Moments
    sweep_times_s: NDArray[np.float64]
    period_s: float
    cameras: tuple[Camera, ...]
    sample_tokens: tuple[str, ...]
    vehicles: tuple[ContinuousTrack, ...] = ()

    @cached_property
    def static_bounds(self) -> NDArray[np.float32]:
        """Least and greatest coordinates (B,2,3) m of each block of static surfels, worked out once for all cameras."""
        bounds = np.empty((-(-len(self.static) // BLOCK_ROWS), 2, 3), dtype=np.float32)
        block_bounds(self.static.xyz, bounds)
        return bounds
