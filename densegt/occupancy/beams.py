"""Beams of a scene's sweeps: from where the lidar was to what it met, when it met it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from densegt.accumulation.cloud import Cloud
from densegt.accumulation.motion.tracks import ContinuousTrack
from densegt.accumulation.surfels import Surfels
from densegt.kernels.carve_beams import Beams, CarveRule, Lidars, Passes, carve_beams
from densegt.kernels.frustum import BLOCK_ROWS, block_bounds
from densegt.occupancy.nearby import blocks_nearby, rows_of_blocks

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Bool = NDArray[np.bool_]

# A lidar's way within half a turn, at most.
LIDAR_WAY_M = 3.0


@dataclass(frozen=True)
class MetSurfels:
    """Surfels in global minus origin, sweep after sweep, and the lidars that saw them.

    Attributes:
        bounds: (B,2,3) least and greatest coordinates m of each block of them.
    """

    surfels: Surfels
    bounds: Float32
    lidars: Lidars

    @cached_property
    def ways(self) -> Float32:
        """Least and greatest coordinates (B,2,3) m of each block with the beams to it."""
        if not len(self.surfels):
            return self.bounds
        sweep = self.surfels.sweep
        # Their sweeps are in order: a block's are those from its first to its last.
        ends = np.minimum(np.arange(1, len(self.bounds) + 1) * BLOCK_ROWS, len(sweep)) - 1
        of = np.stack([sweep[::BLOCK_ROWS], sweep[ends] + 1], axis=1).ravel()
        # One more, so that the last sweep's end is a place in the list.
        origin = np.concatenate([self.lidars.origin, self.lidars.origin[-1:]])
        low, high = np.minimum.reduceat(origin, of)[::2], np.maximum.reduceat(origin, of)[::2]
        return np.stack([np.minimum(self.bounds[:, 0], low), np.maximum(self.bounds[:, 1], high)], axis=1)

    def carve(self, sweeps: Bool, T_voxel_origin: Float64, rule: CarveRule, passes: Passes) -> None:
        """Add the beams of some sweeps (S,) to what beams said of voxels."""
        near = blocks_nearby(self.ways, T_voxel_origin, passes.beams.shape, margin_m=LIDAR_WAY_M)
        rows = rows_of_blocks(near, BLOCK_ROWS, len(self.surfels))
        rows = rows[sweeps[self.surfels.sweep[rows]]]
        of = self.surfels
        beams = Beams(of.xyz, of.tangents, of.time_s, of.sweep)
        carve_beams(beams, rows, self.lidars, T_voxel_origin, rule, passes)


@dataclass(frozen=True)
class SceneBeams:
    """The beams of all sweeps, by what they met: what stands, and what moved, where it was then."""

    standing: MetSurfels
    others: MetSurfels

    @classmethod
    def of(cls, cloud: Cloud) -> SceneBeams:
        """All beams of a cloud."""
        images = cloud.images
        lidars = Lidars(images.origin, images.velocity, cloud.sweep_times_s)
        moved = [where_measured(cloud, track, surfels) for track, surfels in cloud.movers if len(surfels)]
        others = _in_order([cloud.transient, *moved])
        bounds = np.empty((-(-len(others) // BLOCK_ROWS), 2, 3), dtype=np.float32)
        block_bounds(others.xyz, bounds)
        return cls(MetSurfels(cloud.static, cloud.static_bounds, lidars), MetSurfels(others, bounds, lidars))

    def carve(self, sweeps: Bool, T_voxel_origin: Float64, rule: CarveRule, passes: Passes) -> None:
        """Add the beams of some sweeps (S,) to what beams said of voxels.

        Args:
            T_voxel_origin: (4,4) from global minus the cloud's origin to voxels.
        """
        for met in (self.standing, self.others):
            met.carve(sweeps, T_voxel_origin, rule, passes)


def where_measured(cloud: Cloud, track: ContinuousTrack, surfels: Surfels) -> Surfels:
    """A mover's surfels from its box frame to global minus origin, each as its sweep saw it."""
    _, of = np.unique(surfels.sweep, return_inverse=True)
    # The beam crosses a mover within milliseconds: one pose a sweep.
    times_s = np.bincount(of, surfels.time_s.astype(np.float64)) / np.bincount(of)
    T = track.poses_at(cloud.start_us + times_s * 1e6)
    T[:, :3, 3] -= cloud.origin_global_m
    R, t = T[of, :3, :3], T[of, :3, 3]
    xyz = (np.einsum("nij,nj->ni", R, surfels.xyz) + t).astype(np.float32)
    tangents = np.einsum("nij,nkj->nki", R, surfels.tangents).astype(np.float32)
    return Surfels(xyz, tangents, surfels.half_m, surfels.time_s, surfels.sweep)


def _in_order(parts: list[Surfels]) -> Surfels:
    """Surfels of several kinds, sweep after sweep."""
    order = np.argsort(np.concatenate([part.sweep for part in parts]), kind="stable")

    def joined(name: str) -> Any:
        return np.concatenate([getattr(part, name) for part in parts])[order]

    return Surfels(*(joined(name) for name in ("xyz", "tangents", "half_m", "time_s", "sweep")))
