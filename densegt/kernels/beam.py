"""The beam of a sweep that looks at a place: its direction depends on when it looks, and the lidar moves meanwhile."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(cache=True, nogil=True, inline="always")
def beam_to(
    xyz: NDArray[np.float32],
    origin: NDArray[np.float32],
    velocity: NDArray[np.float32],
    R_lidar_global: NDArray[np.float32],
    clock: NDArray[np.float32],
) -> tuple[float, float, float]:
    """Azimuth and elevation (rad, in lidar) and distance (m) of a place as the beam passed over it.

    Args:
        xyz: (3,) m in global minus origin.
        origin: (3,) the lidar at the stamp; velocity: (3,) m/s.
        R_lidar_global: (3,3) at the stamp.
        clock: (4,) sign of the turn in azimuth (-1 clockwise), lidar azimuth of the seam (rad), stamp_fraction,
            period_s.
    """
    turn = 2 * np.pi
    dx, dy, dz = xyz[0] - origin[0], xyz[1] - origin[1], xyz[2] - origin[2]
    R = R_lidar_global
    # The first direction, as from the stamp's place, tells the time; the second, from that time's place, is the beam's.
    azimuth = np.arctan2(R[1, 0] * dx + R[1, 1] * dy + R[1, 2] * dz, R[0, 0] * dx + R[0, 1] * dy + R[0, 2] * dz)
    t = ((clock[0] * (azimuth - clock[1])) % turn / turn - clock[2]) * clock[3]
    dx, dy, dz = dx - velocity[0] * t, dy - velocity[1] * t, dz - velocity[2] * t
    x = R[0, 0] * dx + R[0, 1] * dy + R[0, 2] * dz
    y = R[1, 0] * dx + R[1, 1] * dy + R[1, 2] * dz
    z = R[2, 0] * dx + R[2, 1] * dy + R[2, 2] * dz
    flat = np.sqrt(x * x + y * y)
    return float(np.arctan2(y, x)), float(np.arctan2(z, flat)), float(np.sqrt(x * x + y * y + z * z))
