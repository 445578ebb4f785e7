"""Slow twins of densegt.kernels.beam."""

from __future__ import annotations

import numpy as np


def beam_to(xyz, origin, velocity, R_lidar_global, clock):
    """From the stamp's place guess when the beam passed; look again from where the lidar was then."""
    sign, scan_start_azimuth_rad, stamp_fraction, period_s = (float(c) for c in clock)
    R, place = R_lidar_global.astype(np.float64), origin.astype(np.float64)
    x, y, _ = R @ (xyz - place)
    past_scan_start = (sign * (np.arctan2(y, x) - scan_start_azimuth_rad)) % (2 * np.pi)
    time_s = (past_scan_start / (2 * np.pi) - stamp_fraction) * period_s
    x, y, z = R @ (xyz - (place + velocity.astype(np.float64) * time_s))
    return np.arctan2(y, x), np.arctan2(z, np.hypot(x, y)), np.sqrt(x * x + y * y + z * z)
