"""Every return of a scene, as it was measured: where, when, as which surfel of surface, past which free space."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from densegt.accumulation.config import AccumulateConfig
from densegt.accumulation.moments import Moments, middle_s
from densegt.accumulation.motion.range_images import RangeImageBuilder
from densegt.accumulation.ordered_threads import ordered_map
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
        bloomed: (N,) bool, points beside a retroreflector, at its range, where nothing is.
        first: (S+1,) int64, first row of each sweep.
        images: the sweeps as range images.
        moments: which sweeps are of which lidar and moment.
        origin_global_m: (3,) float64, subtracted from global so that float32 suffices.
        start_us: the time that `Surfels.time_s` counts from.
        middle_s: (S,) s since start_us, the middle of each turn.
        moving: (N,) float32 probability that each moves, by votes from elsewhere, NaN without one; None without any.
    """

    surfels: Surfels
    mixed: NDArray[np.bool_]
    bloomed: NDArray[np.bool_]
    first: NDArray[np.int64]
    images: RangeImages
    moments: Moments
    origin_global_m: NDArray[np.float64]
    start_us: int
    middle_s: NDArray[np.float64]
    moving: NDArray[np.float32] | None = None


class MeasuredSweep(NamedTuple):
    """One sweep's returns (N), their times s relative to its stamp, their surfels, and which are on no surface."""

    returns: SweepReturns
    times_s: NDArray[np.float64]
    surfels: Surfels
    mixed: NDArray[np.bool_]
    bloomed: NDArray[np.bool_]


def measure_scene(
    scene: Scene,
    returns: list[SweepReturns],
    config: AccumulateConfig,
    *,
    threads: int = 1,
    progress: Callable[[], None] = lambda: None,
) -> Measurements:
    """Each return's time, place in global and surfel.

    Args:
        returns: of each sweep; emptied sweep by sweep, so that they are never in memory beside all surfels.
        threads: at work on sweeps.
        progress: called after each sweep.

    Raises:
        InputError: no sweep holds a usable return.
    """
    path, moments = EgoPath.of(scene), Moments.of(scene)
    origin = scene.sweeps[0].T_global_ego[:3, 3].copy()
    start_us = scene.sweeps[0].timestamp_us
    images = RangeImageBuilder(scene, path, moments, origin, config.free_space.columns)
    surfels, mixed, bloomed = SurfelsBuilder(len(scene.sweeps)), [], []
    moving = [now.moving for now in returns if now.moving is not None]
    returns.reverse()
    # Each is taken from the list in its turn, and let go when it has been measured.
    turns = ((index, sweep, returns.pop()) for index, sweep in enumerate(scene.sweeps))

    def measure(turn: tuple[int, Sweep, SweepReturns]) -> MeasuredSweep | None:
        index, sweep, now = turn
        return _measure_sweep(sweep, index, now, path, start_us, origin, config) if len(now) else None

    with closing(ordered_map(measure, turns, threads)) as sweeps:
        for index, sweep in enumerate(sweeps):
            if sweep is not None:
                images.add(index, sweep.returns, sweep.surfels.xyz, sweep.times_s)
                surfels.add(sweep.surfels)
            mixed.append(np.zeros(0, dtype=np.bool_) if sweep is None else sweep.mixed)
            bloomed.append(np.zeros(0, dtype=np.bool_) if sweep is None else sweep.bloomed)
            progress()
    if not images.has_points:
        raise InputError(f"scene {scene.name}: not one of {len(scene.sweeps)} sweeps holds a usable point")
    stamps_s = np.array([(s.timestamp_us - start_us) * 1e-6 for s in scene.sweeps])
    return Measurements(
        surfels=surfels.build(),
        mixed=np.concatenate(mixed),
        bloomed=np.concatenate(bloomed),
        first=np.cumsum([0, *map(len, mixed)], dtype=np.int64),
        images=images.build(),
        moments=moments,
        origin_global_m=origin,
        start_us=start_us,
        middle_s=stamps_s + np.array([middle_s(sweep.lidar_model) for sweep in scene.sweeps]),
        moving=np.concatenate(moving) if moving else None,
    )


def _measure_sweep(
    sweep: Sweep,
    index: int,
    now: SweepReturns,
    path: EgoPath,
    start_us: int,
    origin_global_m: NDArray[np.float64],
    config: AccumulateConfig,
) -> MeasuredSweep:
    shaped = shape_surfels(now.xyz_lidar, now.ring, now.intensity, config.surfels)
    times_s = point_times(now, sweep)
    since_s = (sweep.timestamp_us - start_us) * 1e-6 + times_s
    surfels = Surfels(
        xyz=(to_global(now.xyz_lidar, sweep, times_s, path) - origin_global_m).astype(np.float32),
        # Within a turn the ego's own rotation is far smaller than the error of a tangent: one rotation serves all.
        tangents=shaped.tangents_lidar @ sweep.T_global_lidar[:3, :3].T.astype(np.float32),
        half_m=shaped.half_m,
        time_s=since_s.astype(np.float32),
        sweep=np.full(len(now), index, dtype=np.int32),
    )
    return MeasuredSweep(now, times_s, surfels, shaped.mixed, shaped.bloomed)
