"""All sweeps of a scene in one place: what stands still in global, what moves in its own frame."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from densegt.accumulate.config import AccumulateConfig, EgoConfig
from densegt.accumulate.freespace import RangeImageBuilder, RangeImages, transient
from densegt.accumulate.movers import AMBIGUOUS, claim_points
from densegt.accumulate.patches import Patches, concatenate, shape_patches
from densegt.accumulate.timing import EgoPath, point_times, to_global
from densegt.accumulate.tracks import ContinuousTrack
from densegt.datasets.scene import Points, Scene, SweepMeta
from densegt.errors import InputError
from densegt.geometry import se3


@dataclass(frozen=True)
class Cloud:
    """A scene's patches.

    Attributes:
        origin_global_m: (3,) float64, subtracted from global so that float32 suffices.
        start_us: the time that `Patches.time_s` counts from.
        static: patches in global minus origin.
        transient: patches in global minus origin that other sweeps refute; true at their own time only.
        movers: for each track, its patches in its box's frame.
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
    """Read every sweep, give each point its time, its patch and its owner.

    Args:
        skip_sweeps: tokens of sweeps to leave out.
        progress: called after each sweep.
    """
    path = EgoPath.of(scene)
    origin = scene.sweeps[0].T_global_ego[:3, 3].copy()
    start_us = scene.sweeps[0].timestamp_us
    static: list[Patches] = []
    moving: list[list[Patches]] = [[] for _ in tracks]
    images = RangeImageBuilder(scene, path, origin, config.free_space.columns)
    for index, sweep in enumerate(scene.sweeps):
        if sweep.token not in skip_sweeps:
            points = drop_ego(scene.read_points(sweep), sweep, config.ego)
            if len(points.xyz_lidar):
                _add_sweep(scene, path, tracks, config, index, points, origin, start_us, static, moving, images)
        progress()
    if not images.has_points:
        raise InputError(f"scene {scene.name}: not one of {len(scene.sweeps)} sweeps holds a usable point")
    world = concatenate(static)
    seen = images.build()
    passing = np.zeros(len(world), dtype=np.bool_)
    if config.motion in ("auto", "free"):
        passing = transient(seen, world, config.free_space)
    return Cloud(
        origin_global_m=origin,
        start_us=start_us,
        static=world.take(~passing),
        transient=world.take(passing),
        movers=tuple((track, concatenate(parts)) for track, parts in zip(tracks, moving, strict=True)),
        images=seen,
        sweep_times_s=np.array([(s.timestamp_us - start_us) * 1e-6 for s in scene.sweeps]),
        period_s=scene.spin.period_s,
        sample_tokens=tuple(s.sample_token if s.is_keyframe else "" for s in scene.sweeps),
    )


def drop_ego(points: Points, sweep: SweepMeta, config: EgoConfig) -> Points:
    """Leave out returns from the recording car, found in this sweep's own ego frame, and those too near to be real."""
    xyz_ego = se3.apply(sweep.T_ego_lidar, points.xyz_lidar)
    own = ((xyz_ego >= config.min_xyz_m) & (xyz_ego <= config.max_xyz_m)).all(axis=1)
    keep = ~own & (np.linalg.norm(points.xyz_lidar, axis=1) >= config.min_range_m)
    return Points(points.xyz_lidar[keep], points.intensity[keep], points.ring[keep])


def _add_sweep(
    scene: Scene,
    path: EgoPath,
    tracks: Sequence[ContinuousTrack],
    config: AccumulateConfig,
    index: int,
    points: Points,
    origin: NDArray[np.float64],
    start_us: int,
    static: list[Patches],
    moving: list[list[Patches]],
    images: RangeImageBuilder,
) -> None:
    sweep = scene.sweeps[index]
    tangents_lidar, half_m, mixed = shape_patches(points.xyz_lidar, points.ring, config.patches)
    times_s = point_times(points.xyz_lidar, sweep.T_ego_lidar, scene.spin)
    xyz_global = to_global(points, sweep, times_s, scene.spin, path)
    # Within a turn the ego's own rotation is far smaller than the error of a tangent, so one rotation serves all.
    tangents = tangents_lidar @ sweep.T_global_lidar[:3, :3].T.astype(np.float32)
    owner, T_global_box = claim_points(xyz_global, sweep.timestamp_us + times_s * 1e6, tracks, config.tracks)
    owner[mixed] = AMBIGUOUS
    patches = Patches(
        xyz=(xyz_global - origin).astype(np.float32),
        tangents=tangents,
        half_m=half_m,
        time_s=((sweep.timestamp_us - start_us) * 1e-6 + times_s).astype(np.float32),
        sweep=np.full(len(owner), index, dtype=np.int32),
    )
    images.add(index, patches.xyz, points.ring, times_s)
    static.append(patches.take(owner == -1))
    for k in np.unique(owner[owner >= 0]):
        mine = np.flatnonzero(owner == k)
        R_box_global = np.swapaxes(T_global_box[mine, :3, :3], 1, 2)
        xyz_box = np.einsum("nij,nj->ni", R_box_global, xyz_global[mine] - T_global_box[mine, :3, 3])
        moving[k].append(
            Patches(
                xyz=xyz_box.astype(np.float32),
                tangents=np.einsum("nij,ntj->nti", R_box_global, tangents[mine]).astype(np.float32),
                half_m=half_m[mine],
                time_s=patches.time_s[mine],
                sweep=patches.sweep[mine],
            )
        )
