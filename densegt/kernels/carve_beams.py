"""Beams through a grid of voxels: how many passed through each one."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

Float32 = NDArray[np.float32]
# Beams passed through every slice of the voxel.
ALL_SLABS = 0xFFF


class Beams(NamedTuple):
    """Beams (N) in voxels, voxel (i,j,k) being i to i + 1 and so on.

    Attributes:
        start: (N,3) float32, where each began; end: (N,3) float32, where it met a surface.
        normal: (N,3) float32, unit normal of that surface, of either sign.
    """

    start: Float32
    end: Float32
    normal: Float32


class CarveRule(NamedTuple):
    """When a beam has passed through a voxel.

    Attributes:
        least_path: voxels, so long its way through one must be: what it only clips at a corner it says nothing of.
        reach: voxels, so far the surface that a beam met is taken to go on towards where the beam came from.
        margin: voxels, by which a voxel must stay clear of that surface.
        spread: half the width of a beam per length of its way.
    """

    least_path: float
    reach: float
    margin: float
    spread: float


class Passes(NamedTuple):
    """What beams said of each voxel (X,Y,Z).

    Attributes:
        beams: uint16, how many passed through it, up to 65535.
        slabs: uint16, bit 4 a + k is set where one passed through the k-th of four slices across axis a.
    """

    beams: NDArray[np.uint16]
    slabs: NDArray[np.uint16]


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def _slabs(
    start: Float32, unit: NDArray[np.float64], now: float, then: float, half: float, at: NDArray[np.int64]
) -> int:
    """Bits of the slices of a voxel that a beam so wide touches between two lengths of its way."""
    bits = 0
    for axis in range(3):
        one, other = start[axis] + unit[axis] * now - at[axis], start[axis] + unit[axis] * then - at[axis]
        low, high = int(4 * (min(one, other) - half) + 1) - 1, int(4 * (max(one, other) + half))
        for k in range(max(low, 0), min(high, 3) + 1):
            bits |= 1 << (4 * axis + k)
    return bits


@njit(cache=True, nogil=True, error_model="numpy")
def carve_beams(beams: Beams, rule: CarveRule, passes: Passes) -> None:
    """Add each beam to what beams said of the voxels that it passed through.

    A beam that skims over a road is within half a voxel of it for metres: no voxel that the plane of the surface met
    touches is passed within reach of the end, and so never the voxel of the end itself.
    """
    shape = passes.beams.shape
    at, step = np.empty(3, dtype=np.int64), np.empty(3, dtype=np.int64)
    unit, following, across = np.empty(3), np.empty(3), np.empty(3)
    for i in range(len(beams.start)):
        start, end, normal = beams.start[i], beams.end[i], beams.normal[i]
        length = 0.0
        for axis in range(3):
            unit[axis] = np.float64(end[axis]) - start[axis]
            length += unit[axis] ** 2
        length = np.sqrt(length)
        if not 0 < length < np.inf:
            continue
        enter, leave = 0.0, length
        for axis in range(3):
            unit[axis] /= length
            if unit[axis] == 0:
                if not 0 <= start[axis] < shape[axis]:
                    leave = -1.0
                continue
            first, second = -start[axis] / unit[axis], (shape[axis] - start[axis]) / unit[axis]
            enter, leave = max(enter, min(first, second)), min(leave, max(first, second))
        if not enter < leave:
            continue
        for axis in range(3):
            place = int(np.floor(start[axis] + unit[axis] * enter))
            at[axis] = min(max(place, 0), shape[axis] - 1)
            step[axis] = 1 if unit[axis] > 0 else -1
            across[axis] = 1 / abs(unit[axis])
            border = at[axis] + (1 if unit[axis] > 0 else 0)
            following[axis] = (border - start[axis]) / unit[axis] if unit[axis] != 0 else np.inf
        half = (abs(normal[0]) + abs(normal[1]) + abs(normal[2])) / 2 + rule.margin
        now = enter
        while now < leave:
            axis = 0
            if following[1] < following[axis]:
                axis = 1
            if following[2] < following[axis]:
                axis = 2
            then = min(following[axis], leave)
            if then - now >= rule.least_path:
                clear = length - then > rule.reach
                if not clear:
                    away = 0.0
                    for k in range(3):
                        away += normal[k] * (at[k] + 0.5 - end[k])
                    clear = abs(away) > half
                if clear:
                    if passes.beams[at[0], at[1], at[2]] < 65535:
                        passes.beams[at[0], at[1], at[2]] += 1
                    if passes.slabs[at[0], at[1], at[2]] != ALL_SLABS:
                        passes.slabs[at[0], at[1], at[2]] |= _slabs(start, unit, now, then, rule.spread * then, at)
            now = then
            at[axis] += step[axis]
            following[axis] += across[axis]
            if not 0 <= at[axis] < shape[axis]:
                break
