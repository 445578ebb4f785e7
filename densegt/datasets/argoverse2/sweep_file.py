"""A sweep's file: the returns of two stacked lidars, in the ego frame at the stamp."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from densegt.datasets.argoverse2.calibration import LIDARS, Calibration
from densegt.datasets.argoverse2.feather import read_columns
from densegt.datasets.lidar_model import LidarModel
from densegt.datasets.scene import Points
from densegt.errors import InputError
from densegt.geometry import se3

Float64 = NDArray[np.float64]

LASERS = 64
# Farther than any automotive lidar reaches, and longer than any turn: beyond it a number is damage.
MAX_RANGE_M = 1000.0
MAX_OFFSET_S = 0.5
_COLUMNS = {"x": "f4", "y": "f4", "z": "f4", "intensity": "f4", "laser_number": "i8", "offset_ns": "i8"}
# Nearer returns are the car's own, and their direction says little.
_FAR_M = 3.0


@dataclass(frozen=True)
class Returns:
    """All returns of a file (N,): xyz_ego float32 m, compensated to the stamp; time_s float32 since the stamp."""

    xyz_ego: NDArray[np.float32]
    intensity: NDArray[np.float32]
    laser: NDArray[np.uint16]
    time_s: NDArray[np.float32]


def read_returns(path: Path) -> Returns:
    """A sweep's returns; rows that cannot be measurements are left out.

    Raises:
        InputError: the file is missing or damaged, or most of its rows cannot be measurements.
    """
    try:
        stat = path.stat()
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from None
    return _read(path, stat.st_mtime_ns, stat.st_size)


# Both lidars of a sweep are asked for one after the other, and a few threads may read at a time.
@lru_cache(maxsize=4)
def _read(path: Path, mtime_ns: int, size_bytes: int) -> Returns:
    columns = read_columns(path, _COLUMNS)
    xyz_ego = np.stack([columns["x"], columns["y"], columns["z"]], axis=1)
    laser, offset_s = columns["laser_number"], columns["offset_ns"] * 1e-9
    sound = (np.abs(xyz_ego) < MAX_RANGE_M).all(axis=1) & (laser >= 0) & (laser < LASERS)
    sound &= np.isfinite(columns["intensity"]) & (np.abs(offset_s) < MAX_OFFSET_S)
    if not sound.any() or 2 * np.count_nonzero(sound) < len(sound):
        what = f"only {np.count_nonzero(sound)} of {len(sound)} rows are a point within {MAX_RANGE_M:.0f} m of one of"
        raise InputError(f"{path}: {what} {LASERS} lasers. Not a sweep, or damaged; fetch it again")
    return Returns(
        xyz_ego=xyz_ego[sound],
        intensity=columns["intensity"][sound],
        laser=laser[sound].astype(np.uint16),
        time_s=offset_s[sound].astype(np.float32),
    )


def turn_s(returns: Returns) -> float:
    """How long a turn takes: as long as the returns of either lidar."""
    lower = returns.laser < LASERS // 2
    longest = max(float(np.ptp(returns.time_s[half])) for half in (lower, ~lower) if half.any())
    return longest if longest > 0 else 0.1


def points_of(returns: Returns, T_ego_lidar: Float64, lower_half: bool) -> Points:
    """One lidar's points, in its own frame; `lower_half`: its lasers are the first 32 rather than the last."""
    rows = np.flatnonzero((returns.laser < LASERS // 2) == lower_half)
    xyz_lidar = se3.apply(se3.inverse(T_ego_lidar), returns.xyz_ego[rows]).astype(np.float32)
    ring = (returns.laser[rows] % (LASERS // 2)).astype(np.uint16)
    return Points(xyz_lidar, returns.intensity[rows], ring, returns.time_s[rows])


def lower_half_is(returns: Returns, calibration: Calibration) -> str:
    """Which lidar has the lasers below 32: seen from its own lidar, a laser's elevation is the same all around."""
    up, down = LIDARS
    scatter = [
        sum(_elevation_scatter(returns, calibration.T_ego_lidar[lidar], lower) for lidar, lower in pairs)
        for pairs in (((up, True), (down, False)), ((down, True), (up, False)))
    ]
    return up if scatter[0] <= scatter[1] else down


def _elevation_scatter(returns: Returns, T_ego_lidar: Float64, lower_half: bool) -> float:
    """Mean over the lasers of the elevation's mean absolute deviation, rad."""
    points = points_of(returns, T_ego_lidar, lower_half)
    x, y, z = points.xyz_lidar.T
    far = np.hypot(x, y) > _FAR_M
    elevation, ring = np.arctan2(z, np.hypot(x, y))[far], points.ring[far]
    spread = [float(np.abs(e - np.median(e)).mean()) for e in (elevation[ring == r] for r in np.unique(ring))]
    return float(np.mean(spread)) if spread else 0.0


def lidar_model(points: Points, T_ego_lidar: Float64, period_s: float) -> LidarModel:
    """How a lidar turns, from a sweep's points and their times: clockwise, from a scan start of its own."""
    xy_ego = points.xyz_lidar @ T_ego_lidar[:2, :3].T
    far = np.hypot(xy_ego[:, 0], xy_ego[:, 1]) > _FAR_M
    if points.time_s is None or not far.any():
        return LidarModel(
            clockwise=True, period_s=period_s, scan_start_azimuth_rad=0.0, stamp_fraction=0.0, compensated=True
        )
    time_s = points.time_s[far].astype(np.float64)
    azimuth = np.arctan2(xy_ego[far, 1], xy_ego[far, 0])
    at_stamp = np.angle(np.exp(1j * (azimuth + 2 * np.pi * time_s / period_s)).mean())
    first_s = float(time_s.min())
    return LidarModel(
        clockwise=True,
        period_s=period_s,
        scan_start_azimuth_rad=float((at_stamp - 2 * np.pi * first_s / period_s) % (2 * np.pi)),
        stamp_fraction=-first_s / period_s,
        compensated=True,
    )
