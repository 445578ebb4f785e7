"""Every return of a scene, as it was measured: where, when, as which surfel of surface, past which free space."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from densegt.accumulate.config import AccumulateConfig, EgoConfig
from densegt.accumulate.motion.free_space import RangeImageBuilder, RangeImages
from densegt.accumulate.surfels import Surfels, SurfelsBuilder, shape_surfels
from densegt.accumulate.timing import EgoPath, point_times, to_global
from densegt.datasets.lidar_model import LidarModel
from densegt.datasets.scene import Points, Scene, Sweep
from densegt.errors import InputError
from densegt.geometry import se3


@dataclass(frozen=True)
class Measurements:
    """A scene's returns, sweep after sweep, before anyone asks what moves.

    Attributes:
        surfels: (N) in global minus origin.
        mixed: (N,), hanging between two surfaces.
        first: (S+1,) int64, first row of each sweep.
        images: the sweeps as range images.
        origin_global_m: (3,) float64, subtracted from global so that float32 suffices.
        start_us: the time that `Surfels.time_s` counts from.
        middle_s: (S,) s since start_us, the middle of each turn.
    """

    surfels: Surfels
    mixed: NDArray[np.bool_]
    first: NDArray[np.int64]
    images: RangeImages
    origin_global_m: NDArray[np.float64]
    start_us: int
    middle_s: NDArray[np.float64]


def measure_scene(
    scene: Scene,
    config: AccumulateConfig,
    *,
    skip_sweeps: frozenset[str] = frozenset(),
    progress: Callable[[], None] = lambda: None,
) -> Measurements:
    """Read every sweep, give each point its time, its place in global and its surfel.

    Args:
        skip_sweeps: tokens of sweeps to leave out.
        progress: called after each sweep.

    Raises:
        InputError: a sweep cannot be read, or none holds a usable point.
    """
    path = EgoPath.of(scene)
    origin = scene.sweeps[0].T_global_ego[:3, 3].copy()
    start_us = scene.sweeps[0].timestamp_us
    images = RangeImageBuilder(scene, path, origin, config.free_space.columns)
    surfels, mixed = SurfelsBuilder(len(scene.sweeps)), []
    for index, sweep in enumerate(scene.sweeps):
        hanging = np.zeros(0, dtype=np.bool_)
        if sweep.token not in skip_sweeps:
            points = drop_ego(scene.read_points(sweep), sweep, config.ego)
            if len(points.xyz_lidar):
                part, hanging = _measure_sweep(scene, path, config, index, points, origin, start_us, images)
                surfels.add(part)
        mixed.append(hanging)
        progress()
    if not images.has_points:
        raise InputError(f"scene {scene.name}: not one of {len(scene.sweeps)} sweeps holds a usable point")
    stamps_s = np.array([(s.timestamp_us - start_us) * 1e-6 for s in scene.sweeps])
    return Measurements(
        surfels=surfels.build(),
        mixed=np.concatenate(mixed),
        first=np.cumsum([0, *map(len, mixed)], dtype=np.int64),
        images=images.build(),
        origin_global_m=origin,
        start_us=start_us,
        middle_s=stamps_s + np.array([_middle_s(sweep.lidar_model) for sweep in scene.sweeps]),
    )


def _middle_s(model: LidarModel) -> float:
    """The middle of a turn relative to its stamp."""
    return (0.5 - model.stamp_fraction) * model.period_s


def drop_ego(points: Points, sweep: Sweep, config: EgoConfig) -> Points:
    """Leave out returns from the recording car, found in this sweep's own ego frame, and those too near to be real."""
    xyz_ego = se3.apply(sweep.T_ego_lidar, points.xyz_lidar)
    keep = np.einsum("ni,ni->n", points.xyz_lidar, points.xyz_lidar) >= config.min_range_m**2
    own = keep.copy()
    for axis, (least, most) in enumerate(zip(config.min_xyz_m, config.max_xyz_m, strict=True)):
        own &= (xyz_ego[:, axis] >= least) & (xyz_ego[:, axis] <= most)
    rows = np.flatnonzero(keep & ~own)
    return points.take(rows)


def _measure_sweep(
    scene: Scene,
    path: EgoPath,
    config: AccumulateConfig,
    index: int,
    points: Points,
    origin: NDArray[np.float64],
    start_us: int,
    images: RangeImageBuilder,
) -> tuple[Surfels, NDArray[np.bool_]]:
    sweep = scene.sweeps[index]
    tangents_lidar, half_m, mixed = shape_surfels(points.xyz_lidar, points.ring, config.surfels)
    times_s = point_times(points, sweep)
    xyz = (to_global(points, sweep, times_s, path) - origin).astype(np.float32)
    images.add(index, xyz, points.ring, times_s)
    surfels = Surfels(
        xyz=xyz,
        # Within a turn the ego's own rotation is far smaller than the error of a tangent: one rotation serves all.
        tangents=tangents_lidar @ sweep.T_global_lidar[:3, :3].T.astype(np.float32),
        half_m=half_m,
        time_s=((sweep.timestamp_us - start_us) * 1e-6 + times_s).astype(np.float32),
        sweep=np.full(len(xyz), index, dtype=np.int32),
    )
    return surfels, mixed
