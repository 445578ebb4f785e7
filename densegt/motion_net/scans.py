"""A scene's returns as the network takes them: in one frame, above the ground, with what free space says of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from densegt.accumulation.config import AccumulateConfig, FreeSpaceConfig
from densegt.accumulation.moments import Moments, middle_s
from densegt.accumulation.motion.range_images import RangeImageBuilder
from densegt.accumulation.sweep_returns import SweepReturns, not_own
from densegt.accumulation.timing import EgoPath, point_times, to_global
from densegt.datasets.scene import Scene, Sweep
from densegt.errors import InputError
from densegt.kernels.free_space_counts import free_space_counts
from densegt.kernels.range_images import Margin, RangeImages
from densegt.motion_net.ground import GroundMap

Float32 = NDArray[np.float32]

# Sweeps that are asked whether they looked through a point, by how far from it in time.
ASKED_S = ((0.05, 0.1, 0.15), (0.2, 0.3, 0.4, 0.5), (0.7, 1.0, 1.5))
FREE_SPACE_COLUMNS = 2 * len(ASKED_S)


@dataclass(frozen=True)
class SceneScans:
    """A scene's returns, sweep after sweep, those of the recording car left out (N).

    Sweeps of several lidars that turn at the same time are one scan.

    Attributes:
        xyz: (N,3) float32 m in global minus origin; height: (N,) float32 m above the ground.
        intensity: (N,) uint8; ring: (N,) uint16; time_s: (N,) float32 s since start_us.
        row: (N,) int32 in the file of its sweep.
        first: (S+1,) int64 first of each sweep; count: (S,) points in each sweep's file.
        images: the sweeps as range images.
        scan_s: (M,) s, the middle of each scan's turn; xy: (M,2) m and yaw: (M,) rad, the car's then.
    """

    sweeps: tuple[Sweep, ...]
    xyz: Float32
    height: Float32
    intensity: NDArray[np.uint8]
    ring: NDArray[np.uint16]
    time_s: Float32
    row: NDArray[np.int32]
    first: NDArray[np.int64]
    count: NDArray[np.int64]
    images: RangeImages
    moments: Moments
    origin_global_m: NDArray[np.float64]
    start_us: int
    scan_s: NDArray[np.float64]
    xy: NDArray[np.float64]
    yaw: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.scan_s)

    @cached_property
    def sweep(self) -> NDArray[np.int32]:
        """(N,) which sweep measured each point."""
        return np.repeat(np.arange(len(self.sweeps), dtype=np.int32), np.diff(self.first))

    @cached_property
    def _asked(self) -> list[NDArray[np.int64]]:
        """Of each group of `ASKED_S` the sweeps (S,K) that are asked about each sweep's points."""
        period_s = float(np.median(np.diff(self.scan_s))) if len(self) > 1 else 1.0
        return [self.moments.about(sorted({max(1, round(s / period_s)) for s in seconds})) for seconds in ASKED_S]

    def rows_of(self, scan: int) -> NDArray[np.intp]:
        """The points of a scan."""
        sweeps = np.flatnonzero(self.moments.moment == scan)
        return np.concatenate([np.arange(self.first[s], self.first[s + 1]) for s in sweeps])

    def at(self, scan: int, gap_s: float) -> int:
        """The scan nearest to so long after another, -1 where the scene has none within half of that."""
        wanted = self.scan_s[scan] + gap_s
        found = int(np.abs(self.scan_s - wanted).argmin())
        return found if found != scan and abs(self.scan_s[found] - wanted) <= abs(gap_s) / 2 else -1

    def free_space(self, rows: NDArray[np.intp], config: FreeSpaceConfig) -> NDArray[np.uint8]:
        """Share x 255 of the sweeps near, less near and far in time that looked through points, and that met them.

        Earlier and later sweeps count alike.

        Returns:
            (n, FREE_SPACE_COLUMNS): passed and met of each group of `ASKED_S`.
        """
        xyz, sweep = np.ascontiguousarray(self.xyz[rows]), self.sweep[rows]
        out = np.zeros((len(rows), FREE_SPACE_COLUMNS), dtype=np.uint8)
        passed, met = np.empty((2, len(rows)), dtype=np.uint8)
        margin = Margin(config.margin_m, config.margin_relative)
        for group, asked in enumerate(self._asked):
            free_space_counts(xyz, sweep, asked, self.images, margin, passed, met)
            there = np.maximum((asked >= 0).sum(axis=1), 1)[sweep]
            out[:, 2 * group] = 255 * passed.astype(np.int64) // there
            out[:, 2 * group + 1] = 255 * met.astype(np.int64) // there
        return out


def read_scans(scene: Scene, config: AccumulateConfig, *, progress: Callable[[], None] = lambda: None) -> SceneScans:
    """All returns of a scene.

    Args:
        scene: its lidars have models; see `densegt.accumulation.scene_input.examine`.
        progress: called after each sweep.

    Raises:
        InputError: a sweep cannot be read, or none holds a usable return.
    """
    path, moments = EgoPath.of(scene), Moments.of(scene)
    origin, start_us = scene.sweeps[0].T_global_ego[:3, 3].copy(), scene.sweeps[0].timestamp_us
    images = RangeImageBuilder(scene, path, moments, origin, config.free_space.columns)
    parts, counts = [], []
    for index, sweep in enumerate(scene.sweeps):
        points = scene.read_points(sweep)
        counts.append(len(points.ring))
        rows = np.flatnonzero(not_own(points.xyz_lidar, sweep, config.ego))
        points = points.take(rows)
        times_s = point_times(points, sweep) if len(rows) else np.zeros(0)
        if len(rows):
            xyz = (to_global(points.xyz_lidar, sweep, times_s, path) - origin).astype(np.float32)
            images.add(
                index,
                SweepReturns(points.xyz_lidar, points.ring, points.intensity, points.time_s, rows[:0]),
                xyz,
                times_s,
            )
        else:
            xyz = np.zeros((0, 3), dtype=np.float32)
        since_s = ((sweep.timestamp_us - start_us) * 1e-6 + times_s).astype(np.float32)
        bright = points.intensity.clip(0, 255).astype(np.uint8)
        parts.append((xyz, bright, points.ring, since_s, rows.astype(np.int32)))
        progress()
    if not images.has_points:
        raise InputError(f"scene {scene.name}: not one of {len(scene.sweeps)} sweeps holds a usable point")
    xyz, bright, ring, time_s, row = (np.concatenate(column) for column in zip(*parts, strict=True))
    ground = GroundMap.of(xyz)
    scan_us = [
        np.mean([s.timestamp_us + middle_s(s.lidar_model) * 1e6 for s in _of(scene, moments, m)])
        for m in range(moments.count)
    ]
    T = path.poses_at(np.array(scan_us))
    return SceneScans(
        sweeps=scene.sweeps,
        xyz=xyz,
        height=ground.height_above(xyz),
        intensity=bright,
        ring=ring,
        time_s=time_s,
        row=row,
        first=np.cumsum([0, *(len(part[0]) for part in parts)], dtype=np.int64),
        count=np.array(counts, dtype=np.int64),
        images=images.build(),
        moments=moments,
        origin_global_m=origin,
        start_us=start_us,
        scan_s=(np.array(scan_us) - start_us) * 1e-6,
        xy=T[:, :2, 3] - origin[:2],
        yaw=np.arctan2(T[:, 1, 0], T[:, 0, 0]),
    )


def _of(scene: Scene, moments: Moments, moment: int) -> list[Sweep]:
    return [scene.sweeps[k] for k in np.flatnonzero(moments.moment == moment)]
