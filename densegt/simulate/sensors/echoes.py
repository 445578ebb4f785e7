"""Echoes: the light that comes back along one beam, and which of it becomes a return."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]

PULSE_M = 0.8
"""Echoes closer than this merge into one."""

STRAY_M = 0.08
"""A return farther than this from every surface that its beam met is mixed."""


class Flag(IntEnum):
    """How a return came about."""

    CLEAN = 0
    MIXED = 1
    MULTIPATH = 2
    BLOOM = 3
    RAIN = 4
    THROUGH_GLASS = 5
    OWN_CAR = 6
    NOTHING = 7


class Echoes(NamedTuple):
    """Candidates of beams (B,K): range in m (inf = none), power, flag, and the triangle that sent it."""

    range_m: Float32
    power: Float32
    flag: NDArray[np.uint8]
    triangle: NDArray[np.int64]


class Returns(NamedTuple):
    """One return of each beam (B,): range in m (inf = none), power, flag, and the strongest triangle in it."""

    range_m: Float32
    power: Float32
    flag: NDArray[np.uint8]
    triangle: NDArray[np.int64]

    def copy(self) -> Returns:
        """The same in memory of its own."""
        return Returns(self.range_m.copy(), self.power.copy(), self.flag.copy(), self.triangle.copy())


def join_echoes(parts: list[Echoes]) -> Echoes:
    """Candidates side by side."""
    return Echoes(*(np.concatenate(arrays, axis=1) for arrays in zip(*parts, strict=True)))


def _groups(ranges: Float32, power: Float32) -> tuple[Float32, Float32]:
    """For each candidate (B,K) the power, and power times range, of all within a pulse's length of it."""
    lit = power > 0
    near, far = np.where(lit, ranges, np.inf).min(axis=1), np.where(lit, ranges, -np.inf).max(axis=1)
    total, moment = np.zeros_like(power), np.zeros_like(power)
    one = (far - near < PULSE_M)[:, None] & lit  # most beams meet one surface
    np.copyto(total, power.sum(axis=1, keepdims=True), where=one)
    np.copyto(moment, (power * ranges).sum(axis=1, keepdims=True), where=one)
    several = np.flatnonzero(far - near >= PULSE_M)
    for j in range(ranges.shape[1]):
        rows = several[power[several, j] > 0]
        r, p = ranges[rows, j : j + 1], power[rows, j : j + 1]
        together = (np.abs(ranges[rows] - r) < PULSE_M) * p
        total[rows] += together
        moment[rows] += together * r
    return total, moment


def strongest_return(echoes: Echoes) -> Returns:
    """The strongest group of echoes within a pulse's length; its range is their mean, weighted by power."""
    usable = np.isfinite(echoes.range_m)
    ranges = np.where(usable, echoes.range_m, np.float32(1e6))
    power = np.where(usable, echoes.power, np.float32(0))
    total, moment = _groups(ranges, power)
    best = np.argmax(total, axis=1)[:, None]
    strength = np.take_along_axis(total, best, 1)[:, 0]
    middle = np.take_along_axis(moment, best, 1)[:, 0] / np.maximum(strength, 1e-20)
    inside = (np.abs(ranges - np.take_along_axis(ranges, best, 1)) < PULSE_M) & usable
    main = np.argmax(np.where(inside, power, -1), axis=1)[:, None]
    flag = np.take_along_axis(echoes.flag, main, 1)[:, 0]
    stray = np.where(inside, np.abs(ranges - middle[:, None]), np.inf).min(axis=1)
    flag = np.where((flag == Flag.CLEAN) & (stray > STRAY_M), Flag.MIXED, flag)
    seen = strength > 0
    return Returns(
        np.where(seen, middle, np.inf).astype(np.float32),
        strength.astype(np.float32),
        np.where(seen, flag, Flag.NOTHING).astype(np.uint8),
        np.where(seen, np.take_along_axis(echoes.triangle, main, 1)[:, 0], -1),
    )
