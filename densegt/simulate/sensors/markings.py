"""What lies on the road: painted lines, arrows, a zebra, and puddles; the same for lidar and camera."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from densegt.simulate.sensors.textures import value_noise
from densegt.simulate.street.terrain import Terrain

LINE_M = 0.13


def painted(terrain: Terrain, s: NDArray[np.float32], d: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Whether places (N,) on the road carry white paint."""
    section, a = terrain.section, np.abs(d)
    from_cross = np.abs(s - terrain.cross_s) - terrain.cross_half
    middle = (a < LINE_M / 2) & ((s % 9.0 < 4.5) | (section.lanes > 1))
    edge = np.zeros_like(middle)
    for k in range(1, section.lanes + 1):
        broken = (s % 6.0 < 3.0) | (k == section.lanes)
        edge |= (np.abs(a - k * section.lane) < LINE_M / 2) & broken
    bays = (a > section.lanes * section.lane) & (s % 6.3 < 0.10)
    lines = (middle | edge | bays) & (from_cross > 6.5)
    zebra = (from_cross > 2.0) & (from_cross < 5.0) & (a % 1.0 < 0.5)
    stop = (from_cross > 5.7) & (from_cross < 6.1) & (np.sign(d) * np.sign(s - terrain.cross_s) == section.right)
    u = (s % 60.0) - 30.0
    lane_d = np.abs(a - section.lane * (section.lanes - 0.5))
    arrow = ((np.abs(u) < 1.5) & (lane_d < 0.08)) | ((u > 1.5) & (u < 2.6) & (lane_d < 0.35 * (2.6 - u)))
    out: NDArray[np.bool_] = (
        (lines | zebra | stop | (arrow & (from_cross > 8))) & (from_cross > 0) & (a < section.half_width)
    )
    return out


def under_water(terrain: Terrain, puddles: float, s: NDArray[np.float32], d: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Whether water stands on places (N,) of roads and pavements: in hollows, and most of all at the kerb."""
    if puddles == 0:
        return np.zeros(len(s), dtype=bool)
    hollow = 0.65 * value_noise(s * 0.23 + 11, d * 0.45 + 5) + 0.35 * value_noise(s * 0.9, d * 1.1)
    kerb = np.exp(-(((terrain.section.half_width - np.abs(d)) / 0.6) ** 2)) * (np.abs(d) < terrain.section.half_width)
    out: NDArray[np.bool_] = hollow > 0.82 - 0.2 * puddles - 0.1 * kerb
    return out
