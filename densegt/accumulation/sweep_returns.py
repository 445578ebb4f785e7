"""Returns of every sweep of a scene, without the recording car's own, and samples of them for pose refinement."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from densegt.accumulation.config import AccumulateConfig, EgoConfig, RefinePosesConfig
from densegt.datasets.scene import Points, Scene, Sweep
from densegt.depth.point_votes import read_votes
from densegt.geometry import se3

Rows = NDArray[np.intp]
# What somebody says of each point (N,) of a sweep's file: the probability that it moves, NaN for nothing.
MotionVotes = Callable[[Sweep, int], NDArray[np.float32]]


@dataclass(frozen=True)
class SweepReturns:
    """A sweep's returns that are not of the recording car (N).

    Attributes:
        xyz_lidar: (N,3) float32 m.
        ring: (N,) uint16.
        intensity: (N,) float32, 0-255.
        time_s: (N,) float32 relative to the stamp; None where the lidar's model gives it.
        sampled: (M,) rows for the refinement of its pose, the farther the likelier.
        moving: (N,) float32, see `MotionVotes`; None where nobody says anything.
    """

    xyz_lidar: NDArray[np.float32]
    ring: NDArray[np.uint16]
    intensity: NDArray[np.float32]
    time_s: NDArray[np.float32] | None
    sampled: Rows
    moving: NDArray[np.float32] | None = None

    def __len__(self) -> int:
        return len(self.xyz_lidar)

    def take(self, rows: Rows) -> SweepReturns:
        """The returns of some rows, no samples."""
        time_s = None if self.time_s is None else self.time_s.take(rows)
        moving = None if self.moving is None else self.moving.take(rows)
        xyz_lidar, intensity = self.xyz_lidar.take(rows, axis=0), self.intensity.take(rows)
        return SweepReturns(xyz_lidar, self.ring.take(rows), intensity, time_s, rows[:0], moving)


def read_returns(scene: Scene, config: AccumulateConfig, votes: MotionVotes | None = None) -> list[SweepReturns]:
    """The returns of each sweep, in order.

    Args:
        votes: on what moves, where there are some.

    Raises:
        InputError: a sweep cannot be read.
    """
    rng, out = np.random.default_rng(0), []
    for sweep in scene.sweeps:
        points = scene.read_points(sweep)
        moving = None if votes is None else votes(sweep, len(points.ring))
        out.append(_returns(points, sweep, config, rng, moving))
    return out


def _returns(
    points: Points, sweep: Sweep, config: AccumulateConfig, rng: np.random.Generator, moving: NDArray[np.float32] | None
) -> SweepReturns:
    kept = not_own(points.xyz_lidar, sweep, config.ego)
    sampled = (
        sample_rows(points.xyz_lidar, config.ego_poses, rng) if config.refine_poses else np.zeros(0, dtype=np.intp)
    )
    rows = np.flatnonzero(kept)
    time_s = None if points.time_s is None else points.time_s.take(rows)
    # Rows among all points become rows among those that are kept.
    sampled = (np.cumsum(kept) - 1)[sampled[kept[sampled]]]
    moving = None if moving is None else moving.take(rows)
    xyz_lidar, intensity = points.xyz_lidar.take(rows, axis=0), points.intensity.take(rows)
    return SweepReturns(xyz_lidar, points.ring.take(rows), intensity, time_s, sampled, moving)


def stored_votes(path: Path) -> MotionVotes:
    """The votes in a scene's file of a store of votes."""

    def of_sweep(sweep: Sweep, count: int) -> NDArray[np.float32]:
        return read_votes(path, sweep.lidar.channel, sweep.timestamp_us, count).moving

    return of_sweep


def not_own(xyz_lidar: NDArray[np.float32], sweep: Sweep, config: EgoConfig) -> NDArray[np.bool_]:
    """Which points (N,3) are not of the recording car, as seen in this sweep's ego frame, nor too near to be real."""
    xyz_ego = se3.apply(sweep.T_ego_lidar, xyz_lidar)
    far: NDArray[np.bool_] = np.einsum("ni,ni->n", xyz_lidar, xyz_lidar) >= config.min_range_m**2
    own = far.copy()
    for axis, (least, most) in enumerate(zip(config.min_xyz_m, config.max_xyz_m, strict=True)):
        own &= (xyz_ego[:, axis] >= least) & (xyz_ego[:, axis] <= most)
    return far & ~own


def sample_rows(xyz_lidar: NDArray[np.float32], config: RefinePosesConfig, rng: np.random.Generator) -> Rows:
    """Rows of some points (N,3), the farther the likelier, since a spinning lidar sees mostly what is near."""
    range_m = np.linalg.norm(xyz_lidar, axis=1)
    near = np.flatnonzero(range_m < config.max_range_m)
    if len(near) > config.points:
        # Exponential races are won in proportion to their rates: a draw without replacement.
        race = rng.standard_exponential(len(near), dtype=np.float32) / (range_m[near] + np.float32(1e-3))
        near = near[np.argpartition(race, config.points)[: config.points]]
    return near
