"""Surfels: each return of a sweep with the tangents and the extent of the surface it lies on."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from densegt.accumulation.config import SurfelConfig
from densegt.kernels.blooming import blooming
from densegt.kernels.ring_neighbours import ring_neighbours
from densegt.kernels.surfel_shape import surfel_shape

Float32 = NDArray[np.float32]


@dataclass(frozen=True)
class Surfels:
    """Surfels in one frame.

    Attributes:
        xyz: (N,3) float32 m.
        tangents: (N,2,3) float32, unit vectors along and across the rings.
        half_m: (N,4) float32, reach along +first, -first, +second, -second tangent.
        time_s: (N,) float32 s since the scene's start.
        sweep: (N,) int32 index into the scene's sweeps.
    """

    xyz: Float32
    tangents: Float32
    half_m: Float32
    time_s: Float32
    sweep: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.xyz)

    def take(self, rows: NDArray[np.intp] | NDArray[np.bool_]) -> Surfels:
        """The surfels of some rows."""
        rows = np.flatnonzero(rows) if rows.dtype == np.bool_ else rows
        xyz, tangents, half_m = (part.take(rows, axis=0) for part in (self.xyz, self.tangents, self.half_m))
        return Surfels(xyz, tangents, half_m, self.time_s.take(rows), self.sweep.take(rows))

    def shrink_to(self, rows: NDArray[np.intp] | NDArray[np.bool_]) -> Surfels:
        """The surfels of ascending rows, compacted in place: the original is overwritten."""
        rows = np.flatnonzero(rows) if rows.dtype == np.bool_ else rows
        n = len(rows)
        for part in (self.xyz, self.tangents, self.half_m, self.time_s, self.sweep):
            part[:n] = part.take(rows, axis=0)
        return Surfels(self.xyz[:n], self.tangents[:n], self.half_m[:n], self.time_s[:n], self.sweep[:n])


class SurfelsBuilder:
    """Collects surfels sweep by sweep in one allocation, so that there are never two copies of a scene.

    Memory that is allocated but never written is not resident.
    """

    def __init__(self, sweeps: int) -> None:
        self._sweeps, self._count = sweeps, 0
        self._all = self._room(0)

    def add(self, part: Surfels) -> None:
        """Append one sweep; the first one sets the allocation."""
        end = self._count + len(part)
        if end > len(self._all):
            before = self.build()
            self._all = self._room(end + len(part) * self._sweeps * 11 // 10)
            self._put(before, 0, len(before))
        self._put(part, self._count, end)
        self._count = end

    def build(self) -> Surfels:
        """All surfels."""
        of = self._all
        n = self._count
        return Surfels(of.xyz[:n], of.tangents[:n], of.half_m[:n], of.time_s[:n], of.sweep[:n])

    def _put(self, part: Surfels, begin: int, end: int) -> None:
        for name in (field.name for field in fields(Surfels)):
            getattr(self._all, name)[begin:end] = getattr(part, name)

    @staticmethod
    def _room(n: int) -> Surfels:
        xyz, tangents, half_m, time_s = (np.empty((n, *rest), np.float32) for rest in ((3,), (2, 3), (4,), ()))
        return Surfels(xyz, tangents, half_m, time_s, np.empty(n, np.int32))


class ShapedSurfels(NamedTuple):
    """What a sweep alone tells of its returns (N).

    Attributes:
        tangents_lidar: (N,2,3); half_m: (N,4), reach.
        mixed: (N,) bool, between two surfaces (mixed pixels).
        bloomed: (N,) bool, beside a retroreflector that their beams do not meet.
    """

    tangents_lidar: Float32
    half_m: Float32
    mixed: NDArray[np.bool_]
    bloomed: NDArray[np.bool_]


def shape_surfels(
    xyz_lidar: Float32, ring: NDArray[np.uint16], intensity: Float32, config: SurfelConfig
) -> ShapedSurfels:
    """The surface about each return of a sweep, and which returns lie on none."""
    elevation = np.arctan2(xyz_lidar[:, 2], np.hypot(xyz_lidar[:, 0], xyz_lidar[:, 1]))
    azimuth = np.arctan2(xyz_lidar[:, 1], xyz_lidar[:, 0])
    by_ring = np.argsort(ring, kind="stable")
    rank, gap_rad = _rings_upwards(ring[by_ring], elevation[by_ring])
    # Points of a file are in order of time, so each ring is almost sorted by azimuth.
    key = 8.0 * rank[ring[by_ring]] + azimuth[by_ring]
    steps = np.argsort(key, kind="stable")
    order, key = by_ring[steps], key[steps]
    azimuth = azimuth[order]
    ring_start = np.searchsorted(key, 8.0 * np.arange(rank.max() + 2) - 4.0).astype(np.int64)
    step_rad = _azimuth_step(azimuth, ring_start)
    n = len(order)
    neighbours = np.empty((n, 4), dtype=np.int32)
    ring_neighbours(ring_start, azimuth, 2.5 * step_rad, neighbours)
    tangents = np.empty((n, 2, 3), dtype=np.float32)
    half_m = np.empty((n, 4), dtype=np.float32)
    mixed = np.empty(n, dtype=np.bool_)
    surfel_shape(
        np.ascontiguousarray(xyz_lidar[order]),
        neighbours,
        np.array([step_rad, step_rad, gap_rad, gap_rad], dtype=np.float32),
        config.max_slope,
        config.max_half_m,
        config.baseline_m,
        config.min_cosine,
        tangents,
        half_m,
        mixed,
    )
    bloomed = np.zeros(n, dtype=np.bool_)
    range_m = np.linalg.norm(xyz_lidar, axis=1).astype(np.float32)
    widest = np.array(config.bloom_beams).repeat(2)
    blooming(range_m[order], intensity[order], neighbours, widest, config.retro_intensity, config.bloom_share, bloomed)
    back = np.empty(n, dtype=np.intp)
    back[order] = np.arange(n)
    return ShapedSurfels(tangents.take(back, axis=0), half_m.take(back, axis=0), mixed.take(back), bloomed.take(back))


def _rings_upwards(ring: NDArray[np.uint16], elevation: Float32) -> tuple[NDArray[np.int64], float]:
    """Rank of each ring number from the lowest beam up, and the median angle between neighbours.

    Args:
        ring: (N,) sorted; elevation: (N,) rad.
    """
    present, first = np.unique(ring, return_index=True)
    height = np.array([np.partition(part, len(part) // 2)[len(part) // 2] for part in np.split(elevation, first[1:])])
    rank = np.zeros(int(present[-1]) + 1, dtype=np.int64)
    rank[present[np.argsort(height, kind="stable")]] = np.arange(len(present))
    gap_rad = float(np.median(np.diff(np.sort(height)))) if len(present) > 1 else 0.02
    return rank, max(gap_rad, 1e-3)


def _azimuth_step(azimuth: Float32, ring_start: NDArray[np.int64]) -> float:
    """Median angle between neighbours of one ring."""
    steps = np.diff(azimuth)
    steps = np.delete(steps, ring_start[1:-1] - 1) if len(azimuth) > len(ring_start) else steps
    steps = steps[steps > 1e-5]
    return float(np.median(steps)) if len(steps) else 0.006
