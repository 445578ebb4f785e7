"""Scans of a lidar that stands at the origin among surfaces at given ranges, and the surfels of them."""

from __future__ import annotations

import numpy as np

from densegt.accumulation.config import SurfelConfig

CONFIG = SurfelConfig()
SETTINGS = (CONFIG.max_slope, CONFIG.max_half_m, CONFIG.baseline_m, CONFIG.min_cosine)
STEP = np.deg2rad(0.33)
RING_GAP = np.deg2rad(1.33)
LIDAR_HEIGHT_M = 1.84
LEFT, RIGHT, UP, DOWN = range(4)


def scan(range_of, azimuth: np.ndarray, elevation: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Points (R*C,3) and rings of a grid of beams; `range_of(directions)` gives ranges, infinity for no return."""
    e, a = np.meshgrid(elevation, azimuth, indexing="ij")
    d = np.stack([np.cos(e) * np.cos(a), np.cos(e) * np.sin(a), np.sin(e)], axis=-1).reshape(-1, 3)
    ranges = range_of(d)
    ring = np.repeat(np.arange(len(elevation)), len(azimuth)).astype(np.uint8)
    met = np.isfinite(ranges)
    return (d[met] * ranges[met, None]).astype(np.float32), ring[met]


def plane(normal: list[float], offset: float):
    """Ranges to the plane n.x = offset."""
    n = np.array(normal, float)

    def range_of(d: np.ndarray) -> np.ndarray:
        with np.errstate(divide="ignore"):
            t = offset / (d @ n)
        return np.where(t > 0, t, np.inf)

    return range_of


def nearest_of(*surfaces):
    return lambda d: np.min([s(d) for s in surfaces], axis=0)


def facing_wall(x: float):
    return plane([1, 0, 0], x)


GROUND = plane([0, 0, 1], -LIDAR_HEIGHT_M)
AZIMUTH = np.arange(-40, 41) * STEP
RINGS = np.deg2rad(-30.67) + np.arange(32) * RING_GAP  # of an HDL-32E


def ends_of(xyz: np.ndarray, tangents: np.ndarray, half_m: np.ndarray) -> np.ndarray:
    """Middle and the four corners (N,5,3) of each surfel: where a surfel leaves its surface farthest."""
    a = tangents[:, :1] * np.stack([half_m[:, LEFT], -half_m[:, RIGHT]], axis=1)[:, :, None]
    e = tangents[:, 1:] * np.stack([half_m[:, UP], -half_m[:, DOWN]], axis=1)[:, :, None]
    corners = [xyz + a[:, i] + e[:, j] for i in range(2) for j in range(2)]
    return np.stack([xyz, *corners], axis=1).astype(np.float64)


def drawn(half_m: np.ndarray) -> np.ndarray:
    """Which surfels have an area; the others are never drawn."""
    return (half_m[:, :2].sum(axis=1) > 0) & (half_m[:, 2:].sum(axis=1) > 0)
