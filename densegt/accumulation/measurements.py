"""Every return of a scene, as it was measured: where, when, as which surfel of surface, past which free space."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from densegt.accumulation.config import AccumulateConfig
from densegt.accumulation.moments import Moments, middle_s
from densegt.accumulation.motion.range_images import RangeImageBuilder
from densegt.accumulation.surfels import Surfels, SurfelsBuilder, shape_surfels
from densegt.accumulation.sweep_returns import SweepReturns
from densegt.accumulation.timing import EgoPath, point_times, to_global
from densegt.datasets.scene import Scene, Sweep
from densegt.errors import InputError
from densegt.kernels.range_images import RangeImages


@dataclass(frozen=True)
class Measurements:
    """A scene's returns, sweep after sweep, before anyone asks what moves.

    Attributes:
        surfels: (N) in global minus origin.
        mixed: (N,) bool, points between two surfaces (mixed pixels).
        first: (S+1,) int64, first row of each sweep.
        images: the sweeps as range images.
        moments: which sweeps are of which lidar and moment.
        origin_global_m: (3,) float64, subtracted from global so that float32 suffices.
        start_us: the time that `Surfels.time_s` counts from.
        middle_s: (S,) s since start_us, the middle of each turn.
    """

    surfels: Surfels
    mixed: NDArray[np.bool_]
    first: NDArray[np.int64]
    images: RangeImages
    moments: Moments
    origin_global_m: NDArray[np.float64]
    start_us: int
    middle_s: NDArray[np.float64]


def measure_scene(
    scene: Scene, returns: list[SweepReturns], config: AccumulateConfig, *, progress: Callable[[], None] = lambda: None
) -> Measurements:
    """Each return's time, place in global and surfel.

    Args:
        returns: of each sweep; emptied sweep by sweep, so that they are never in memory beside all surfels.
        progress: called after each sweep.

    Raises:
        InputError: no sweep holds a usable return.
    """
    path, moments = EgoPath.of(scene), Moments.of(scene)
    origin = scene.sweeps[0].T_global_ego[:3, 3].copy()
    start_us = scene.sweeps[0].timestamp_us
    images = RangeImageBuilder(scene, path, moments, origin, config.free_space.columns)
    surfels, mixed = SurfelsBuilder(len(scene.sweeps)), []
    returns.reverse()
    for index, sweep in enumerate(scene.sweeps):
        now, between = returns.pop(), np.zeros(0, dtype=np.bool_)
        if len(now):
            tangents_lidar, half_m, between = shape_surfels(now.xyz_lidar, now.ring, config.surfels)
            times_s = point_times(now, sweep)
            xyz = (to_global(now.xyz_lidar, sweep, times_s, path) - origin).astype(np.float32)
            images.add(index, now, xyz, times_s)
            since_s = (sweep.timestamp_us - start_us) * 1e-6 + times_s
            surfels.add(_surfels(sweep, index, xyz, tangents_lidar, half_m, since_s))
        mixed.append(between)
        progress()
    if not images.has_points:
        raise InputError(f"scene {scene.name}: not one of {len(scene.sweeps)} sweeps holds a usable point")
    stamps_s = np.array([(s.timestamp_us - start_us) * 1e-6 for s in scene.sweeps])
    return Measurements(
        surfels=surfels.build(),
        mixed=np.concatenate(mixed),
        first=np.cumsum([0, *map(len, mixed)], dtype=np.int64),
        images=images.build(),
        moments=moments,
        origin_global_m=origin,
        start_us=start_us,
        middle_s=stamps_s + np.array([middle_s(sweep.lidar_model) for sweep in scene.sweeps]),
    )


def _surfels(
    sweep: Sweep,
    index: int,
    xyz: NDArray[np.float32],
    tangents_lidar: NDArray[np.float32],
    half_m: NDArray[np.float32],
    since_s: NDArray[np.float64],
) -> Surfels:
    return Surfels(
        xyz=xyz,
        # Within a turn the ego's own rotation is far smaller than the error of a tangent: one rotation serves all.
        tangents=tangents_lidar @ sweep.T_global_lidar[:3, :3].T.astype(np.float32),
        half_m=half_m,
        time_s=since_s.astype(np.float32),
        sweep=np.full(len(xyz), index, dtype=np.int32),
    )
