"""The beam of a sweep that looks at a place: its direction depends on when it looks, and the lidar moves meanwhile."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

ROUGH_RAD = 5e-6


@njit(cache=True, nogil=True, inline="always")
def rough_arctan2(y: float, x: float) -> float:
    """Arctangent to within `ROUGH_RAD`, several times faster than the exact one."""
    a, b = abs(x), abs(y)
    # An odd polynomial on [0, 1]; its greatest error is 1.7e-6.
    t = min(a, b) / max(max(a, b), 1e-30)
    u = t * t
    p = 0.99997726 + u * (-0.33262347 + u * (0.19354346 + u * (-0.11643287 + u * (0.05265332 - u * 0.01172120))))
    r = np.pi / 2 - t * p if b > a else t * p
    r = np.pi - r if x < 0 else r
    return -r if y < 0 else r


@njit(cache=True, nogil=True, inline="always")
def place_in_beam(
    xyz: NDArray[np.float32],
    origin: NDArray[np.float32],
    velocity: NDArray[np.float32],
    R_lidar_global: NDArray[np.float32],
    clock: NDArray[np.float32],
) -> tuple[float, float, float]:
    """A place (m) in lidar axes, from where the lidar was as the beam passed over it; see `beam_to`."""
    dx, dy, dz = xyz[0] - origin[0], xyz[1] - origin[1], xyz[2] - origin[2]
    R = R_lidar_global
    # The first direction, as from the stamp's place, tells the time; the second, from that time's place, is the beam's.
    # Roughly will do for the first: 5e-6 rad of a turn in 0.05 s are 40 ns, a micrometre of a driving lidar's way.
    azimuth = rough_arctan2(R[1, 0] * dx + R[1, 1] * dy + R[1, 2] * dz, R[0, 0] * dx + R[0, 1] * dy + R[0, 2] * dz)
    turns = np.float64(clock[0] * (azimuth - clock[1])) / (2 * np.pi)
    t = (turns - np.floor(turns) - clock[2]) * clock[3]
    dx, dy, dz = dx - velocity[0] * t, dy - velocity[1] * t, dz - velocity[2] * t
    x = R[0, 0] * dx + R[0, 1] * dy + R[0, 2] * dz
    y = R[1, 0] * dx + R[1, 1] * dy + R[1, 2] * dz
    z = R[2, 0] * dx + R[2, 1] * dy + R[2, 2] * dz
    return float(x), float(y), float(z)


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
        clock: (4,) sign of the turn in azimuth (-1 clockwise), lidar azimuth of the scan start (rad), stamp_fraction,
            period_s.
    """
    x, y, z = place_in_beam(xyz, origin, velocity, R_lidar_global, clock)
    flat = np.sqrt(x * x + y * y)
    return float(np.arctan2(y, x)), float(np.arctan2(z, flat)), float(np.sqrt(x * x + y * y + z * z))
