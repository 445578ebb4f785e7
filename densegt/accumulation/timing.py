"""When each point was measured, and where the ego was then."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from densegt.accumulation.sweep_returns import SweepReturns
from densegt.datasets.lidar_model import LidarModel
from densegt.datasets.scene import Points, Scene, Sweep
from densegt.geometry import se3

Float64 = NDArray[np.float64]

# Poses closer in time than this, as of lidars that turn together, give no usable velocity.
APART_US = 10_000


@dataclass(frozen=True)
class EgoPath:
    """The ego's motion: linear translation and slerp between sweeps' poses, the end velocities beyond.

    Attributes:
        timestamps_us: (M,) int64, increasing.
        T_global_ego: (M,4,4).
    """

    timestamps_us: NDArray[np.int64]
    T_global_ego: Float64

    @classmethod
    def of(cls, scene: Scene) -> EgoPath:
        """Through the poses at the sweeps' stamps, of several within `APART_US` the first."""
        stamps, first = np.unique([s.timestamp_us for s in scene.sweeps], return_index=True)
        kept = [0]
        for k in range(1, len(stamps)):
            if stamps[k] - stamps[kept[-1]] >= APART_US:
                kept.append(k)
        return cls(stamps[kept].astype(np.int64), np.stack([scene.sweeps[i].T_global_ego for i in first[kept]]))

    def poses_at(self, t_us: Float64) -> Float64:
        """T_global_ego (N,4,4) at times (N,)."""
        if len(self.timestamps_us) == 1:
            return np.repeat(self.T_global_ego, len(t_us), axis=0)
        k = np.clip(np.searchsorted(self.timestamps_us, t_us, side="right") - 1, 0, len(self.timestamps_us) - 2)
        out = np.empty((len(t_us), 4, 4))
        for i in np.unique(k):
            within = k == i
            start, end = self.timestamps_us[i], self.timestamps_us[i + 1]
            fraction = (t_us[within] - start) / (end - start)
            out[within] = se3.interpolate(self.T_global_ego[i], self.T_global_ego[i + 1], fraction)
        return out


def point_times(points: Points | SweepReturns, sweep: Sweep) -> Float64:
    """Time of each point (N,) s relative to the sweep's stamp: the recording's own, or from its azimuth."""
    if points.time_s is not None:
        return points.time_s.astype(np.float64)
    return azimuth_times(points.xyz_lidar, sweep.T_ego_lidar, sweep.lidar_model)


def azimuth_times(xyz_lidar: NDArray[np.float32], T_ego_lidar: Float64, model: LidarModel) -> Float64:
    """Time of each point (N,) s relative to the sweep's stamp, from the azimuth at which the lidar saw it.

    The turn begins at the scan start; a point `angle` further along it was measured at
    (angle / 2 pi - stamp_fraction) x period.
    """
    xy_ego = xyz_lidar.astype(np.float64) @ T_ego_lidar[:2, :3].T
    azimuth = np.arctan2(xy_ego[:, 1], xy_ego[:, 0])
    angle = (model.scan_start_azimuth_rad - azimuth if model.clockwise else azimuth - model.scan_start_azimuth_rad) % (
        2 * np.pi
    )
    times_s: Float64 = (angle / (2 * np.pi) - model.stamp_fraction) * model.period_s
    return times_s


def to_global(xyz_lidar: NDArray[np.float32], sweep: Sweep, times_s: Float64, path: EgoPath) -> Float64:
    """Points (N,3) m in global: by the pose at the stamp where compensated, else by that at each point's time."""
    if sweep.lidar_model.compensated:
        return se3.apply(sweep.T_global_lidar, xyz_lidar)
    xyz_ego = se3.apply(sweep.T_ego_lidar, xyz_lidar)
    # Poses change smoothly: between 200 steps over the turn a straight line is exact to micrometres.
    steps = np.linspace(times_s.min(), times_s.max(), 201)
    T = path.poses_at(sweep.timestamp_us + steps * 1e6)
    at = np.clip((times_s - steps[0]) / max(steps[1] - steps[0], 1e-9), 0, 200)
    k = np.minimum(at.astype(int), 199)
    before, after = (np.einsum("nij,nj->ni", T[i, :3, :3], xyz_ego) + T[i, :3, 3] for i in (k, k + 1))
    xyz_global: Float64 = before + (at - k)[:, None] * (after - before)
    return xyz_global
