"""Where a sweep's beams look: many places at once, as column, slope and distance in its range image."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

Float32 = NDArray[np.float32]

# Places reckoned at once: their figures stay in the cache.
BLOCK = 256
# Slopes in between that are looked up; finer than rings lie, so that seldom more than one step is left.
LOOKUP = 1024
_TURN = np.float32(2 * np.pi)
_PI, _HALF_PI = np.float32(np.pi), np.float32(np.pi / 2)
# An odd polynomial for the arctangent on [0, 1], right to 2e-6.
_P0, _P1, _P2 = np.float32(0.99997726), np.float32(-0.33262347), np.float32(0.19354346)
_P3, _P4, _P5 = np.float32(-0.11643287), np.float32(0.05265332), np.float32(-0.01172120)


@njit(cache=True, nogil=True, inline="always")
def _arctan2(y: np.float32, x: np.float32) -> np.float32:
    """In float32 throughout, and without a branch, so that compilers make vectors of it."""
    a, b = abs(x), abs(y)
    t = min(a, b) / max(a, b, np.float32(1e-30))
    u = t * t
    p = t * (_P0 + u * (_P1 + u * (_P2 + u * (_P3 + u * (_P4 + u * _P5)))))
    r = _HALF_PI - p if b > a else p
    r = _PI - r if x < 0 else r
    return -r if y < 0 else r


@njit(cache=True, nogil=True, error_model="numpy")
def beam_at(
    xyz: Float32,
    origin: Float32,
    velocity: Float32,
    R_lidar_global: Float32,
    clock: Float32,
    columns: int,
    column: NDArray[np.int32],
    slope: Float32,
    distance: Float32,
) -> None:
    """Write where one sweep's beams pass over places (N,3), to within 5e-6 of what `beam_to` says.

    Args:
        xyz: m in global minus origin.
        origin, velocity: (3,); R_lidar_global: (3,3); clock: (4,), as for `beam_to`.
        columns: of the range image.
        column: out (N,), the first of the four columns around the place.
        slope: out (N,), tangent of the elevation; distance: out (N,) m.
    """
    r00, r01, r02 = R_lidar_global[0, 0], R_lidar_global[0, 1], R_lidar_global[0, 2]
    r10, r11, r12 = R_lidar_global[1, 0], R_lidar_global[1, 1], R_lidar_global[1, 2]
    r20, r21, r22 = R_lidar_global[2, 0], R_lidar_global[2, 1], R_lidar_global[2, 2]
    ox, oy, oz = origin[0], origin[1], origin[2]
    # The lidar's way in its own axes.
    vx = r00 * velocity[0] + r01 * velocity[1] + r02 * velocity[2]
    vy = r10 * velocity[0] + r11 * velocity[1] + r12 * velocity[2]
    vz = r20 * velocity[0] + r21 * velocity[1] + r22 * velocity[2]
    sign, scan_start, stamp_fraction, period_s = clock[0] / _TURN, clock[1], clock[2], clock[3]
    per_column, count = np.float32(columns) / _TURN, np.int32(columns)
    half, one = np.float32(0.5), np.float32(1)
    # Through one index: with two the compiler makes no vectors.
    flat_xyz = xyz.reshape(-1)
    for i in range(len(xyz)):
        dx, dy, dz = flat_xyz[3 * i] - ox, flat_xyz[3 * i + 1] - oy, flat_xyz[3 * i + 2] - oz
        x, y, z = r00 * dx + r01 * dy + r02 * dz, r10 * dx + r11 * dy + r12 * dz, r20 * dx + r21 * dy + r22 * dz
        # The first direction, as from the stamp's place, tells the time; the second, from that time's place, is the
        # beam's.
        turns = sign * (_arctan2(y, x) - scan_start)
        t = (turns - np.floor(turns) - stamp_fraction) * period_s
        x, y, z = x - vx * t, y - vy * t, z - vz * t
        flat = x * x + y * y
        slope[i] = z / np.sqrt(flat)
        distance[i] = np.sqrt(flat + z * z)
        first = np.int32(np.floor((_arctan2(y, x) + _PI) * per_column - half) - one)
        column[i] = np.int32(first + count) if first < 0 else first


class RingLookup(NamedTuple):
    """Between which rings of each lidar (L) a slope lies.

    Attributes:
        slope: (L,R) float64, tangent of each ring's elevation, infinite beyond the last.
        lowest, highest: (L,) the first ring's and the last one's; both infinite where there is no ring.
        above: (L,1025) int32, the ring above each of 1024 slopes from lowest to highest.
        per_slope: (L,) how many of these slopes make up 1.
        last: (L,) the last ring.
    """

    slope: NDArray[np.float64]
    lowest: NDArray[np.float64]
    highest: NDArray[np.float64]
    above: NDArray[np.int32]
    per_slope: NDArray[np.float64]
    last: NDArray[np.int64]


@njit(cache=True, nogil=True, error_model="numpy")
def ring_lookup(ring_elevation: Float32) -> RingLookup:
    """The lookup of lidars whose rings stand at elevations (L,R) rad, infinite beyond the last."""
    lidars, rings = ring_elevation.shape
    slope = np.full((lidars, rings), np.inf)
    lowest, highest, per_slope = np.full(lidars, np.inf), np.full(lidars, np.inf), np.ones(lidars)
    above, last = np.zeros((lidars, LOOKUP + 1), dtype=np.int32), np.zeros(lidars, dtype=np.int64)
    for lidar in range(lidars):
        count = 0
        while count < rings and ring_elevation[lidar, count] < np.inf:
            count += 1
        if count == 0:
            continue
        mine = np.tan(ring_elevation[lidar, :count].astype(np.float64))
        slope[lidar, :count] = mine
        lowest[lidar], highest[lidar], last[lidar] = mine[0], mine[count - 1], count - 1
        per_slope[lidar] = LOOKUP / max(mine[count - 1] - mine[0], 1e-9)
        steps = mine[0] + np.arange(LOOKUP + 1) / per_slope[lidar]
        above[lidar] = np.searchsorted(mine, steps, side="right").astype(np.int32)
    return RingLookup(slope, lowest, highest, above, per_slope, last)


@njit(cache=True, nogil=True, inline="always")
def ring_above(slope: float, ring_slope: Float32, above: NDArray[np.int32], per_slope: float, last: int) -> int:
    """The first ring above a slope that lies between the lowest ring's and the last one's."""
    ring = min(above[int((slope - ring_slope[0]) * per_slope)], last)
    # Rounding may have looked up the cell above.
    while ring_slope[ring - 1] > slope:
        ring -= 1
    while ring_slope[ring] <= slope:
        ring += 1
    return int(ring)
