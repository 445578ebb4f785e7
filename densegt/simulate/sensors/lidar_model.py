"""Lidars: how many beams, where they point, how they turn, and how well they see."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]


@dataclass(frozen=True)
class LidarSpec:
    """One lidar.

    Attributes:
        elevations_rad: (B,) of its beams, ring 0 first; azimuths_rad: (B,) their offsets from the column's azimuth.
        columns: directions in one turn; period_s: of a turn; clockwise: seen from above.
        scan_start_azimuth_rad: azimuth in ego where a turn begins and ends; stamp_fraction: where in the turn the stamp
            lies.
        divergence_rad: full width of a beam; reach_m: where it still sees a tenth of the light come back, face on.
        noise_m: standard deviation of ranges; maximum_m: longest range.
        keeps_nulls: beams without a return are written as points at the sensor.
        gain: intensity of a white surface, face on and near.
        uneven: how much the rings' intensities differ, of the same surface: spread of the logarithm of their gains.
        faint: echoes of this many times the weakest visible power read as intensity 0 half of the time; 0 = none do.
        offset_z_m: (B,) heights of the beams' origins over the lidar's, for stacked sensors.
    """

    elevations_rad: Float64
    azimuths_rad: Float64
    columns: int
    period_s: float
    clockwise: bool
    scan_start_azimuth_rad: float
    stamp_fraction: float
    divergence_rad: float
    reach_m: float
    noise_m: float
    maximum_m: float
    keeps_nulls: bool
    gain: float
    uneven: float
    faint: float
    offset_z_m: Float64

    @property
    def beams(self) -> int:
        """How many rings."""
        return len(self.elevations_rad)


def _spec(
    elevations_deg: Float64, columns: int, *, divergence_mrad: float, reach_m: float, noise_m: float
) -> LidarSpec:
    """Ten turns a second, clockwise from behind, stamped at their end."""
    flat = np.zeros(len(elevations_deg))
    return LidarSpec(
        np.deg2rad(elevations_deg), flat, columns, period_s=0.1, clockwise=True, scan_start_azimuth_rad=np.pi,
        stamp_fraction=1.0,
        divergence_rad=divergence_mrad * 1e-3, reach_m=reach_m, noise_m=noise_m, maximum_m=120.0, keeps_nulls=False,
        gain=110.0, uneven=0.08, faint=0.0, offset_z_m=flat,
    )  # fmt: skip


def _hdl64() -> LidarSpec:
    """Two blocks of 32 beams, the upper one denser; KITTI's recordings end at 80 m."""
    rising = np.concatenate([np.linspace(-24.8, -8.83, 32), np.linspace(-8.33, 2.0, 32)])
    spec = _spec(rising, 2083, divergence_mrad=2.0, reach_m=70.0, noise_m=0.02)
    return replace(spec, stamp_fraction=0.5, maximum_m=80.0, gain=380.0, uneven=0.5, faint=4.0)


def _stacked() -> LidarSpec:
    """Two VLP-32C one over the other."""
    rising = np.concatenate([np.linspace(-25, -5, 8), np.linspace(-4, 4, 18), np.linspace(5, 15, 6)])
    one = _spec(rising, 1800, divergence_mrad=3.0, reach_m=90.0, noise_m=0.03)
    twice = np.concatenate([one.elevations_rad, one.elevations_rad + np.deg2rad(0.17)])
    offsets_m = np.repeat([0.10, -0.10], 32)
    return replace(one, elevations_rad=twice, azimuths_rad=np.zeros(64), maximum_m=200.0, offset_z_m=offsets_m)


def _wandering() -> LidarSpec:
    """A pattern that does not repeat along rings: each beam weaves about its elevation as the head turns."""
    spec = _spec(np.linspace(-25.0, 15.0, 40), 1250, divergence_mrad=3.0, reach_m=80.0, noise_m=0.02)
    return replace(spec, maximum_m=200.0)


SPECS: dict[str, LidarSpec] = {
    "hdl-32e": replace(
        _spec(np.linspace(-30.67, 10.67, 32), 1085, divergence_mrad=3.0, reach_m=62.0, noise_m=0.018),
        period_s=0.05, scan_start_azimuth_rad=float(np.deg2rad(110.0)), maximum_m=105.0, keeps_nulls=True,
    ),
    "hdl-64e": _hdl64(),
    "os1-128": _spec(np.linspace(-22.5, 22.5, 128), 1024, divergence_mrad=4.0, reach_m=55.0, noise_m=0.025),
    "vlp-16": replace(
        _spec(np.linspace(-15.0, 15.0, 16), 1800, divergence_mrad=3.0, reach_m=55.0, noise_m=0.03), maximum_m=100.0,
    ),
    "two-vlp-32c": _stacked(),
    "wandering": _wandering(),
}  # fmt: skip


def directions(spec: LidarSpec, yaw_of_lidar_rad: float, phase: float, wander: float) -> Float64:
    """Unit directions (C,B,3) in lidar; `phase` in 0..1 shifts the columns, `wander` (rad) makes beams weave."""
    way = -1.0 if spec.clockwise else 1.0
    turned = 2 * np.pi * (np.arange(spec.columns) + phase) / spec.columns
    azimuth = (spec.scan_start_azimuth_rad + way * turned - yaw_of_lidar_rad)[:, None] + spec.azimuths_rad
    weave = wander * np.sin(37.0 * turned[:, None] + 5.1 * np.arange(spec.beams) + 6.0 * phase)
    up = spec.elevations_rad + weave
    return np.stack([np.cos(up) * np.cos(azimuth), np.cos(up) * np.sin(azimuth), np.sin(up)], axis=-1)


def column_times(spec: LidarSpec, stamp_s: float, phase: float) -> Float64:
    """When each column (C,) fires."""
    return stamp_s + spec.period_s * ((np.arange(spec.columns) + phase) / spec.columns - spec.stamp_fraction)
