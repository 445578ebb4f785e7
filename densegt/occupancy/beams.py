"""Beams of a scene's sweeps in a grid: from where the lidar was to what it met, when it met it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from densegt.accumulation.cloud import Cloud
from densegt.accumulation.motion.tracks import ContinuousTrack
from densegt.accumulation.surfels import Surfels
from densegt.geometry import se3
from densegt.kernels.carve_beams import Beams

Float64 = NDArray[np.float64]
Sweeps = NDArray[np.intp]


def beams_of(cloud: Cloud, sweeps: Sweeps, T_voxel_origin: Float64) -> Iterator[Beams]:
    """The beams of some sweeps, those that met a mover ending where it was then.

    Args:
        T_voxel_origin: (4,4) from global minus the cloud's origin to voxels.
    """
    for surfels in (cloud.static, cloud.transient):
        # Sweep after sweep, as they were measured.
        begin, end = np.searchsorted(surfels.sweep, [sweeps, sweeps + 1])
        rows = [np.arange(a, b) for a, b in zip(begin.tolist(), end.tolist(), strict=True)]
        if rows:
            yield _beams(cloud, surfels.take(np.concatenate(rows)), T_voxel_origin)
    for track, surfels in cloud.movers:
        mine = surfels.take(np.isin(surfels.sweep, sweeps))
        if len(mine):
            yield _beams(cloud, where_measured(cloud, track, mine), T_voxel_origin)


def where_measured(cloud: Cloud, track: ContinuousTrack, surfels: Surfels) -> Surfels:
    """A mover's surfels from its box frame to global minus origin, each as its sweep saw it."""
    seen, of = np.unique(surfels.sweep, return_inverse=True)
    # The beam crosses a mover within milliseconds: one pose a sweep.
    times_s = np.bincount(of, surfels.time_s.astype(np.float64)) / np.bincount(of)
    T = track.poses_at(cloud.start_us + times_s * 1e6)
    T[:, :3, 3] -= cloud.origin_global_m
    R, t = T[of, :3, :3], T[of, :3, 3]
    xyz = (np.einsum("nij,nj->ni", R, surfels.xyz) + t).astype(np.float32)
    tangents = np.einsum("nij,nkj->nki", R, surfels.tangents).astype(np.float32)
    assert len(seen) == len(T)
    return Surfels(xyz, tangents, surfels.half_m, surfels.time_s, surfels.sweep)


def _beams(cloud: Cloud, surfels: Surfels, T_voxel_origin: Float64) -> Beams:
    """The beams that surfels (N) in global minus origin were measured by."""
    sweep = surfels.sweep
    after_s = surfels.time_s - cloud.sweep_times_s[sweep].astype(np.float32)
    start = cloud.images.origin[sweep] + cloud.images.velocity[sweep] * after_s[:, None]
    normal = np.cross(surfels.tangents[:, 0], surfels.tangents[:, 1])
    R = T_voxel_origin[:3, :3] / np.linalg.norm(T_voxel_origin[:3, 0])
    return Beams(
        se3.apply(T_voxel_origin, start).astype(np.float32),
        se3.apply(T_voxel_origin, surfels.xyz).astype(np.float32),
        (normal @ R.T).astype(np.float32),
    )
