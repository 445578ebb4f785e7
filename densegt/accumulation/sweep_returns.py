"""Returns of every sweep of a scene, without the recording car's own, and samples of them for pose refinement."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from densegt.accumulation.config import AccumulateConfig, EgoConfig, RefinePosesConfig
from densegt.datasets.scene import Points, Scene, Sweep
from densegt.geometry import se3

Rows = NDArray[np.intp]


@dataclass(frozen=True)
class SweepReturns:
    """A sweep's returns that are not of the recording car (N).

    Attributes:
        xyz_lidar: (N,3) float32 m.
        ring: (N,) uint16.
        time_s: (N,) float32 relative to the stamp; None where the lidar's model gives it.
        sampled: (M,) rows for the refinement of its pose, the farther the likelier.
    """

    xyz_lidar: NDArray[np.float32]
    ring: NDArray[np.uint16]
    time_s: NDArray[np.float32] | None
    sampled: Rows

    def __len__(self) -> int:
        return len(self.xyz_lidar)

    def take(self, rows: Rows) -> SweepReturns:
        """The returns of some rows, no samples."""
        time_s = None if self.time_s is None else self.time_s.take(rows)
        return SweepReturns(self.xyz_lidar.take(rows, axis=0), self.ring.take(rows), time_s, rows[:0])


def read_returns(scene: Scene, config: AccumulateConfig) -> list[SweepReturns]:
    """The returns of each sweep, in order.

    Raises:
        InputError: a sweep cannot be read.
    """
    rng = np.random.default_rng(0)
    return [_returns(scene.read_points(sweep), sweep, config, rng) for sweep in scene.sweeps]


def _returns(points: Points, sweep: Sweep, config: AccumulateConfig, rng: np.random.Generator) -> SweepReturns:
    kept = not_own(points.xyz_lidar, sweep, config.ego)
    sampled = (
        sample_rows(points.xyz_lidar, config.ego_poses, rng) if config.refine_poses else np.zeros(0, dtype=np.intp)
    )
    rows = np.flatnonzero(kept)
    time_s = None if points.time_s is None else points.time_s.take(rows)
    # Rows among all points become rows among those that are kept.
    sampled = (np.cumsum(kept) - 1)[sampled[kept[sampled]]]
    return SweepReturns(points.xyz_lidar.take(rows, axis=0), points.ring.take(rows), time_s, sampled)


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
