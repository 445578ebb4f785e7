"""A scene's sweeps as range images, from the points of each."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from densegt.accumulation.moments import Moments
from densegt.accumulation.sweep_returns import SweepReturns
from densegt.accumulation.timing import EgoPath
from densegt.datasets.lidar_model import LidarModel
from densegt.datasets.scene import Lidar, Scene
from densegt.kernels.range_images import RangeImages, fill_range_image

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

# Points of a sweep that the clock is fitted to.
TIMED_POINTS = 500
# Share of a turn by which azimuth and time may disagree, as one standard deviation, before the lidar does not spin.
MAX_PHASE_SPREAD = 0.05
# A turn too short to matter: all points at one time.
NO_TURN_S = 1e-3


class BeamPoints(NamedTuple):
    """A sweep's points as its beams saw them (N): ring, column of the range image, range m.

    They are kept for every sweep of a scene until all rings are known, so they are as small as they can be.
    """

    ring: NDArray[np.uint16]
    column: NDArray[np.uint16]
    range_m: Float32


class RingPoints(NamedTuple):
    """The points of a sweep (N) that ring elevations are taken from: ring, elevation rad in lidar; how many rings."""

    ring: NDArray[np.uint16]
    elevation: Float32
    rings: int


class RangeImageBuilder:
    """Collects the sweeps of a scene one by one."""

    def __init__(self, scene: Scene, path: EgoPath, moments: Moments, origin_global_m: Float64, columns: int) -> None:
        self._lidars, self._sweep_lidar, self._columns = scene.lidars, moments.lidar, columns
        self._origin = np.array([s.T_global_lidar[:3, 3] - origin_global_m for s in scene.sweeps], dtype=np.float32)
        self._R = np.array([s.T_global_lidar[:3, :3].T for s in scene.sweeps], dtype=np.float32)
        self._velocity = np.empty((len(scene.sweeps), 3), dtype=np.float32)
        self._models = [lidar.model or LidarModel() for lidar in scene.lidars]
        for k, lidar in enumerate(scene.lidars):
            of_lidar = np.flatnonzero(moments.lidar == k)
            stamps = np.array([scene.sweeps[i].timestamp_us for i in of_lidar], dtype=np.float64)
            self._velocity[of_lidar] = _velocity(path, stamps, lidar.T_ego_lidar[:3, 3], self._models[k].period_s)
        self._parts: dict[int, BeamPoints] = {}
        self._fullest: dict[int, RingPoints] = {}
        self._timed: dict[int, list[tuple[Float32, Float64]]] = {}

    def add(self, index: int, returns: SweepReturns, xyz: Float32, time_s: Float64) -> None:
        """One sweep's points (N,3) in global minus origin, and their times relative to the stamp."""
        seen_from = self._origin[index] + self._velocity[index] * time_s[:, None].astype(np.float32)
        beam = (xyz - seen_from) @ self._R[index].T
        azimuth = np.arctan2(beam[:, 1], beam[:, 0])
        elevation = np.arctan2(beam[:, 2], np.hypot(beam[:, 0], beam[:, 1]))
        range_m = np.linalg.norm(beam, axis=1).astype(np.float32)
        self._parts[index] = BeamPoints(returns.ring, image_columns(azimuth, self._columns), range_m)
        lidar, rings = int(self._sweep_lidar[index]), int(np.count_nonzero(np.bincount(returns.ring)))
        if lidar not in self._fullest or rings > self._fullest[lidar].rings:
            self._fullest[lidar] = RingPoints(returns.ring, elevation, rings)
        if returns.time_s is not None:
            some = slice(None, None, max(1, len(azimuth) // TIMED_POINTS))
            self._timed.setdefault(lidar, []).append((azimuth[some], time_s[some]))

    @property
    def has_points(self) -> bool:
        """Whether any sweep with points was added."""
        return bool(self._parts)

    def build(self) -> RangeImages:
        """All sweeps together."""
        rings = [self._rings(k) for k in range(len(self._lidars))]
        most = max(len(elevation) for elevation, _ in rings)
        images = np.zeros((len(self._origin), most, self._columns), dtype=np.float32)
        for index, part in self._parts.items():
            row = rings[self._sweep_lidar[index]][1][part.ring]
            known = row >= 0
            fill_range_image(row[known], part.column[known], part.range_m[known], images[index])
        ring_elevation = np.full((len(rings), most), np.inf, dtype=np.float32)
        for k, (elevation, _) in enumerate(rings):
            ring_elevation[k, : len(elevation)] = elevation
        return RangeImages(
            ranges_m=images,
            ring_elevation=ring_elevation,
            clock=np.array([self._clock(k) for k in range(len(rings))], dtype=np.float32),
            lidar=self._sweep_lidar,
            origin=self._origin,
            velocity=self._velocity,
            R_lidar_global=self._R,
            read=np.isin(np.arange(len(images)), list(self._parts)),
        )

    def _rings(self, lidar: int) -> tuple[Float32, NDArray[np.int64]]:
        """A lidar's ring elevations from the lowest up, and the row of each ring number, -1 for none.

        Elevations are medians over the first sweep that has every ring.
        """
        if lidar not in self._fullest:
            return np.zeros(0, dtype=np.float32), np.zeros(0, dtype=np.int64)
        best = self._fullest[lidar]
        present = np.unique(best.ring)
        height = np.array([np.median(best.elevation[best.ring == r]) for r in present], dtype=np.float32)
        order = np.argsort(height, kind="stable")
        highest = max(int(part.ring.max()) for i, part in self._parts.items() if self._sweep_lidar[i] == lidar)
        row_of = np.full(highest + 1, -1, dtype=np.int64)
        row_of[present[order]] = np.arange(len(order))
        return height[order], row_of

    def _clock(self, lidar: int) -> Float64:
        if lidar not in self._timed:
            return model_clock(self._lidars[lidar], self._models[lidar])
        azimuth, time_s = (np.concatenate(part).astype(np.float64) for part in zip(*self._timed[lidar], strict=True))
        return fitted_clock(azimuth, time_s, self._models[lidar].period_s)


def image_columns(azimuth: Float32, columns: int) -> NDArray[np.uint16]:
    """Column of each azimuth (N,) in [-pi, pi] in a range image so many columns wide."""
    turn = (azimuth.astype(np.float64) + np.pi) / (2 * np.pi)
    return ((turn * columns).astype(np.int64) % columns).astype(np.uint16)


def _velocity(path: EgoPath, stamps_us: Float64, arm_ego: Float64, period_s: float) -> Float64:
    """Velocity (S,3) m/s of a place (3,) on the car, over a turn about stamps (S,)."""
    half_us = period_s * 0.5e6
    before, after = (path.poses_at(stamps_us + d) for d in (-half_us, half_us))
    place = [T[:, :3, :3] @ arm_ego + T[:, :3, 3] for T in (before, after)]
    out: Float64 = (place[1] - place[0]) / period_s
    return out


def model_clock(lidar: Lidar, model: LidarModel) -> Float64:
    """The clock (4,) of `densegt.kernels.beam.beam_to` of a lidar's model."""
    x_axis = lidar.T_ego_lidar[:3, 0]
    yaw = np.arctan2(x_axis[1], x_axis[0])
    # Hung upside down it turns the other way about its own axis.
    up = 1.0 if lidar.T_ego_lidar[2, 2] >= 0 else -1.0
    sign = -1.0 if model.clockwise else 1.0
    return np.array([up * sign, up * (model.scan_start_azimuth_rad - yaw), model.stamp_fraction, model.period_s])


def fitted_clock(azimuth: Float64, time_s: Float64, period_s: float) -> Float64:
    """The clock (4,) fitted to points' azimuths (N,) rad in lidar and times (N,) s relative to their stamps.

    Where these show no rotation, all points are taken as of their mean time.
    """
    spread, sign, phase = np.inf, 1.0, 0.0
    for direction in (-1.0, 1.0):
        unit = np.exp(1j * (direction * azimuth - 2 * np.pi * time_s / period_s)).mean()
        off = np.sqrt(max(-2 * np.log(max(abs(unit), 1e-9)), 0.0)) / (2 * np.pi)
        if off < spread:
            spread, sign, phase = float(off), direction, float(np.angle(unit))
    if spread > MAX_PHASE_SPREAD:
        return np.array([1.0, 0.0, 0.5 - time_s.mean() / NO_TURN_S, NO_TURN_S])
    # The beam's azimuth at the first point's time; the turn reaches as far before it as after the last.
    start_s = (time_s.min() + time_s.max() - period_s) / 2
    scan_start = sign * (phase + 2 * np.pi * start_s / period_s)
    return np.array([sign, np.arctan2(np.sin(scan_start), np.cos(scan_start)), -start_s / period_s, period_s])
