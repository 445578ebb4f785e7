"""Beams through a grid of voxels: how many passed through each one."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from densegt.kernels.voxel_traversal import (
    Triple,
    Voxel,
    borders_ahead,
    is_inside,
    next_voxel,
    strides,
    voxel_at,
    way_inside,
)

Float32 = NDArray[np.float32]
Number = float | np.float64
# Beams passed through every slice of the voxel.
ALL_SLABS = 0xFFF
# Multiples of it, less their whole part, are spread evenly, whichever of them are looked at.
GOLDEN = 0.6180339887498949


class Beams(NamedTuple):
    """Beams (N), each by the surfel that it met, as in `densegt.accumulation.surfels`.

    Attributes:
        xyz: (N,3) float32 m; tangents: (N,2,3) float32; time_s: (N,) float32; sweep: (N,) int32.
    """

    xyz: Float32
    tangents: Float32
    time_s: Float32
    sweep: NDArray[np.int32]


class Lidars(NamedTuple):
    """Where the lidars of sweeps (S) were: origin (S,3) m at the stamps (S,) s, and their velocity (S,3) m/s."""

    origin: Float32
    velocity: Float32
    stamp_s: NDArray[np.float64]


class CarveRule(NamedTuple):
    """When a beam has passed through a voxel.

    Attributes:
        least_path: voxels, so long its way through one must be: what it only clips at a corner it says nothing of.
        reach: voxels, so far the surface that a beam met is taken to go on towards where the beam came from.
        margin: voxels, by which a voxel must stay clear of that surface.
        spread: half the width of a beam per length of its way.
        thinned: voxels; so far from the lidar beams lie close together, and the nearer, the fewer of them are followed.
    """

    least_path: float
    reach: float
    margin: float
    spread: float
    thinned: float


class Passes(NamedTuple):
    """What beams said of each voxel (X,Y,Z).

    Attributes:
        beams: uint16, how many of those followed passed through it, up to 65535.
        slabs: uint16, bit 4 a + k is set where one passed through the k-th of four slices across axis a.
    """

    beams: NDArray[np.uint16]
    slabs: NDArray[np.uint16]


@njit(cache=True, nogil=True, error_model="numpy")
def carve_beams(
    beams: Beams,
    rows: NDArray[np.int64],
    lidars: Lidars,
    T_voxel_src: NDArray[np.float64],
    rule: CarveRule,
    passes: Passes,
) -> None:
    """Add some of the beams to what beams said of the voxels that they passed through.

    A beam that skims over a road is within half a voxel of it for metres: no voxel that the plane of the surface met
    touches is passed within reach of the end, and so never the voxel of the end itself.

    Args:
        rows: (M,) of the beams.
        T_voxel_src: (4,4) from the beams' frame (m) to voxels.
    """
    shape = passes.beams.shape
    for row in rows:
        start, end = _start(beams, row, lidars, T_voxel_src), _end(beams, row, T_voxel_src)
        length = np.sqrt((end[0] - start[0]) ** 2 + (end[1] - start[1]) ** 2 + (end[2] - start[2]) ** 2)
        if not 0 < length < np.inf:
            continue
        unit = ((end[0] - start[0]) / length, (end[1] - start[1]) / length, (end[2] - start[2]) / length)
        enter, leave = way_inside(start, unit, length, shape)
        now = max(enter, rule.thinned * (row * GOLDEN - np.floor(row * GOLDEN)))
        if not now < leave:
            continue
        at = voxel_at(start, unit, now, shape)
        borders, (apart, side) = borders_ahead(start, unit, at), strides(unit)
        normal = _normal(beams, row, T_voxel_src)
        half = (abs(normal[0]) + abs(normal[1]) + abs(normal[2])) / 2 + rule.margin
        while now < leave and is_inside(at, shape):
            then = min(borders[0], borders[1], borders[2], leave)
            if then - now >= rule.least_path and (length - then > rule.reach or _distance(normal, at, end) > half):
                if passes.beams[at[0], at[1], at[2]] < 65535:
                    passes.beams[at[0], at[1], at[2]] += 1
                if passes.slabs[at[0], at[1], at[2]] != ALL_SLABS:
                    passes.slabs[at[0], at[1], at[2]] |= _slabs(start, unit, now, then, rule.spread * then, at)
            now = then
            at, borders = next_voxel(at, borders, apart, side)


@njit(cache=True, nogil=True, error_model="numpy")
def _start(beams: Beams, row: int, lidars: Lidars, T: NDArray[np.float64]) -> Triple:
    sweep = beams.sweep[row]
    after_s = beams.time_s[row] - lidars.stamp_s[sweep]
    x = np.float64(lidars.origin[sweep, 0]) + lidars.velocity[sweep, 0] * after_s
    y = np.float64(lidars.origin[sweep, 1]) + lidars.velocity[sweep, 1] * after_s
    z = np.float64(lidars.origin[sweep, 2]) + lidars.velocity[sweep, 2] * after_s
    return _moved(x, y, z, T)


@njit(cache=True, nogil=True, error_model="numpy")
def _end(beams: Beams, row: int, T: NDArray[np.float64]) -> Triple:
    return _moved(np.float64(beams.xyz[row, 0]), np.float64(beams.xyz[row, 1]), np.float64(beams.xyz[row, 2]), T)


@njit(cache=True, nogil=True, error_model="numpy")
def _moved(x: Number, y: Number, z: Number, T: NDArray[np.float64]) -> Triple:
    return (
        T[0, 0] * x + T[0, 1] * y + T[0, 2] * z + T[0, 3],
        T[1, 0] * x + T[1, 1] * y + T[1, 2] * z + T[1, 3],
        T[2, 0] * x + T[2, 1] * y + T[2, 2] * z + T[2, 3],
    )


@njit(cache=True, nogil=True, error_model="numpy")
def _normal(beams: Beams, row: int, T: NDArray[np.float64]) -> Triple:
    """Unit normal in voxels of the surface that a beam met; NaN where it has none."""
    a, b = beams.tangents[row, 0], beams.tangents[row, 1]
    x = np.float64(a[1]) * b[2] - np.float64(a[2]) * b[1]
    y = np.float64(a[2]) * b[0] - np.float64(a[0]) * b[2]
    z = np.float64(a[0]) * b[1] - np.float64(a[1]) * b[0]
    u, v, w = (
        T[0, 0] * x + T[0, 1] * y + T[0, 2] * z,
        T[1, 0] * x + T[1, 1] * y + T[1, 2] * z,
        T[2, 0] * x + T[2, 1] * y + T[2, 2] * z,
    )
    size = np.sqrt(u * u + v * v + w * w)
    return u / size, v / size, w / size


@njit(cache=True, nogil=True, error_model="numpy")
def _distance(normal: Triple, at: Voxel, end: Triple) -> float:
    """Voxels from a voxel's middle to the plane through the beam's end."""
    x, y, z = at[0] + 0.5 - end[0], at[1] + 0.5 - end[1], at[2] + 0.5 - end[2]
    return abs(normal[0] * x + normal[1] * y + normal[2] * z)


@njit(cache=True, nogil=True, error_model="numpy")
def _slabs(start: Triple, unit: Triple, now: float, then: float, half: float, at: Voxel) -> int:
    """Bits of the slices of a voxel that a beam so wide touches between two lengths of its way."""
    bits = 0
    for axis in range(3):
        one, other = start[axis] + unit[axis] * now - at[axis], start[axis] + unit[axis] * then - at[axis]
        low, high = int(4 * (min(one, other) - half) + 1) - 1, int(4 * (max(one, other) + half))
        for k in range(max(low, 0), min(high, 3) + 1):
            bits |= 1 << (4 * axis + k)
    return bits
