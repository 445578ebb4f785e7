"""A street of houses and posts with exact geometry, driven through in a bend, seen by a lidar of any clock."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from densegt.datasets.lidar_model import LidarModel
from densegt.datasets.scene import Camera, Lidar, Points, Scene, Sweep
from densegt.geometry import se3

# The lidar's x axis points right, as on nuScenes' car.
T_EGO_LIDAR = se3.from_yaw(-np.pi / 2, (0.9, 0, 1.8))
ELEVATION = np.deg2rad(np.linspace(-14, 10, 16))
COLUMNS = 540
START_US = 1_000_000_000
RANGE_NOISE_M = 0.01
AXES_DEG = (0, 55, 110, 180, -110, -55)
MAP_ORIGIN = np.array([600.0, 1600.0, 0.0])


@dataclass(frozen=True)
class Street:
    """Recording of a drive.

    Attributes:
        lidar: how the lidar really turns and what is written.
        order: of points in a sweep: firing, rings (one after the other, each by growing azimuth from ahead), or none.
        cameras: six that fire as the beam passes, at every tenth sweep.
        every: only every n-th sweep is kept.
    """

    lidar: LidarModel
    order: str = "firing"
    cameras: bool = True
    times: bool = False
    speed_mps: float = 9.0
    turn_rps: float = 0.12
    sweeps: int = 40
    every: int = 1

    @cached_property
    def boxes(self) -> np.ndarray:
        """(B,2,3) least and greatest corners: houses of uneven depth along both sides, posts and parked vans."""
        rng = np.random.default_rng(3)
        lows, highs = [], []
        for x in np.arange(-60.0, 120.0, 9.0):
            for side in (-1, 1):
                middle = 0.5 * self.turn_rps / self.speed_mps * x**2 if self.speed_mps else 0.0
                near, width, height = rng.uniform(9, 14), rng.uniform(4, 7), rng.uniform(4, 9)
                y = middle + side * (near + 4)
                lows.append([x, y - 4, 0]), highs.append([x + width, y + 4, height])
                y = middle + side * rng.uniform(4.5, 6)
                x_post = x + rng.uniform(0, 6)
                lows.append([x_post, y - 0.8, 0]), highs.append([x_post + rng.uniform(0.4, 4), y + 0.8, 2.2])
        return np.stack([lows, highs], axis=1)

    def ego(self, t_s: np.ndarray) -> np.ndarray:
        """T_global_ego (N,4,4) on an arc."""
        yaw = self.turn_rps * t_s
        rate = self.turn_rps or 1e-9
        T = np.zeros((len(t_s), 4, 4))
        T[:, 0, 0] = T[:, 1, 1] = np.cos(yaw)
        T[:, 1, 0] = np.sin(yaw)
        T[:, 0, 1] = -T[:, 1, 0]
        T[:, 2, 2] = T[:, 3, 3] = 1
        T[:, 0, 3], T[:, 1, 3] = self.speed_mps / rate * np.sin(yaw), self.speed_mps / rate * (1 - np.cos(yaw))
        return T

    def points(self, sweep: Sweep) -> Points:
        """One turn: every beam fired from where the lidar is at its own time."""
        model, stamp_s = self.lidar, (sweep.timestamp_us - START_US) * 1e-6
        rng = np.random.default_rng(sweep.timestamp_us)
        share = (np.arange(COLUMNS) + rng.uniform()) / COLUMNS
        azimuth = model.scan_start_azimuth_rad + (-1 if model.clockwise else 1) * 2 * np.pi * share
        time_s = (share - model.stamp_fraction) * model.period_s
        T = self.ego(stamp_s + time_s) @ T_EGO_LIDAR
        yaw = azimuth + np.pi / 2  # of the lidar's own axes
        flat = np.stack([np.cos(yaw), np.sin(yaw)], axis=1)
        d_lidar = np.concatenate(
            [
                np.cos(ELEVATION)[None, :, None] * flat[:, None],
                np.broadcast_to(np.sin(ELEVATION)[None, :, None], (COLUMNS, len(ELEVATION), 1)),
            ],
            axis=2,
        )
        d = np.einsum("cij,cbj->cbi", T[:, :3, :3], d_lidar).reshape(-1, 3)
        origin = np.repeat(T[:, :3, 3], len(ELEVATION), axis=0)
        range_m = self._ranges(origin, d)
        met = range_m < 60
        range_m = range_m[met] + rng.normal(0, RANGE_NOISE_M, met.sum())
        xyz_lidar = d_lidar.reshape(-1, 3)[met] * range_m[:, None]
        if model.compensated:
            at_stamp = self.ego(np.array([stamp_s]))[0] @ T_EGO_LIDAR
            xyz_lidar = se3.apply(se3.inverse(at_stamp), origin[met] + d[met] * range_m[:, None])
        ring = np.tile(np.arange(len(ELEVATION)), COLUMNS)[met].astype(np.uint16)
        column_time_s = np.repeat(time_s, len(ELEVATION))[met].astype(np.float32)
        points = Points(
            xyz_lidar.astype(np.float32), np.ones(len(ring), np.float32), ring, column_time_s if self.times else None
        )
        return points.take(self._file_order(points, rng))

    def _ranges(self, origin: np.ndarray, d: np.ndarray) -> np.ndarray:
        with np.errstate(divide="ignore", invalid="ignore"):
            best = np.where(d[:, 2] < 0, -origin[:, 2] / d[:, 2], np.inf)
            inverse = 1 / d
            near = np.linalg.norm(self.boxes.mean(axis=1)[:, :2] - origin[0, :2], axis=1) < 45
            for low, high in self.boxes[near]:
                a, b = (low - origin) * inverse, (high - origin) * inverse
                enter, leave = np.minimum(a, b).max(axis=1), np.maximum(a, b).min(axis=1)
                best = np.where((enter < leave) & (enter > 0) & (enter < best), enter, best)
        return best

    def _file_order(self, points: Points, rng: np.random.Generator) -> np.ndarray:
        if self.order == "firing":
            return np.arange(len(points.ring))
        if self.order == "none":
            return rng.permutation(len(points.ring))
        x, y = points.xyz_lidar[:, 1], -points.xyz_lidar[:, 0]
        return np.lexsort((np.arctan2(y, x) % (2 * np.pi), points.ring))

    def scene(self) -> Scene:
        """As the rest of densegt takes it; points are made when they are asked for."""
        lidar = Lidar("LIDAR_TOP", T_EGO_LIDAR)
        period_us = round(self.lidar.period_s * 1e6)
        sweeps, cameras = [], []
        for i in range(0, self.sweeps * self.every, self.every):
            stamp_us = START_US + i * period_us
            sample, is_keyframe = f"sample{i // 10}", i % 10 == 0
            sweeps.append(
                Sweep(f"sweep{i}", sample, is_keyframe, Path(f"{i}.bin"), stamp_us, lidar, self._pose(stamp_us))
            )
            if is_keyframe and self.cameras:
                cameras += [self._camera(sample, stamp_us, axis_deg) for axis_deg in AXES_DEG]
        return Scene("street", (lidar,), tuple(sweeps), tuple(cameras), (), self.points)

    def _pose(self, t_us: int) -> np.ndarray:
        T = self.ego(np.array([(t_us - START_US) * 1e-6]))[0].copy()
        T[:3, 3] += MAP_ORIGIN
        return T

    def _camera(self, sample: str, stamp_us: int, axis_deg: float) -> Camera:
        way = -1 if self.lidar.clockwise else 1
        passed = (way * (np.deg2rad(axis_deg) - self.lidar.scan_start_azimuth_rad)) % (2 * np.pi) / (2 * np.pi)
        at_us = stamp_us + round((passed - self.lidar.stamp_fraction) * self.lidar.period_s * 1e6)
        ahead = np.array([[0, 0, 1, 0], [-1, 0, 0, 0], [0, -1, 0, 0], [0, 0, 0, 1]], dtype=float)
        T_ego_cam = se3.from_yaw(np.deg2rad(axis_deg), (0, 0, 0)) @ ahead
        name = f"{sample}-{axis_deg}"
        K = np.array([[10.0, 0, 8], [0, 10, 4.5], [0, 0, 1]])
        return Camera(
            name, sample, f"CAM{axis_deg}", Path(name), name, 16, 9, at_us, K, T_ego_cam, self._pose(at_us)
        )  # fmt: skip

    def with_(self, **changes) -> Street:
        """The same but for these."""
        return replace(self, **changes)
