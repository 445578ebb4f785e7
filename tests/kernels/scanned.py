"""Range images of a lidar that drives, and places that its beams look at."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from densegt.kernels.range_images import Margin, RangeImages

SWEEPS, RINGS, COLUMNS = 7, 6, 90
PERIOD_S = 0.05


MARGIN = Margin(0.3, 0.02)


def images_of(seed: int, answers: float, *, lidars: int = 1, farthest_m: float = 30.0) -> RangeImages:
    """Sweeps of lidars that are driven about, each with its rings and clock; `answers` is the share of returns."""
    rng = np.random.default_rng(seed)
    elevation = np.full((lidars, RINGS), np.inf, np.float32)
    for lidar in range(lidars):
        # The second one has fewer rings, the third none.
        count = (RINGS, 4, 0)[lidar]
        elevation[lidar, :count] = np.sort(rng.uniform(-0.5, 0.3, count))
    clock = [[rng.choice([-1.0, 1.0]), rng.uniform(-3, 3), rng.choice([0.5, 1.0]), PERIOD_S] for _ in range(lidars)]
    R = Rotation.from_euler("zyx", rng.uniform([-np.pi, -0.2, -0.2], [np.pi, 0.2, 0.2], (SWEEPS, 3))).as_matrix()
    near = rng.uniform(1, farthest_m, (SWEEPS, RINGS, COLUMNS)) * (rng.random((SWEEPS, RINGS, COLUMNS)) < answers)
    lidar = np.arange(SWEEPS) % lidars
    near[np.isinf(elevation)[lidar]] = 0
    return RangeImages(
        ranges_m=near.astype(np.float32),
        ring_elevation=elevation,
        clock=np.array(clock, np.float32),
        lidar=lidar,
        origin=rng.normal(0, 2, (SWEEPS, 3)).astype(np.float32),
        velocity=rng.normal(0, 5, (SWEEPS, 3)).astype(np.float32),
        R_lidar_global=R.astype(np.float32),
        read=np.ones(SWEEPS, np.bool_),
    )


def still_lidar(ranges_m: np.ndarray, elevation: list[float]) -> RangeImages:
    """Sweeps (S,R,C) from the origin, upright: beam directions are plain azimuth and elevation."""
    sweeps = len(ranges_m)
    return RangeImages(
        ranges_m=ranges_m.astype(np.float32),
        ring_elevation=np.array([elevation], np.float32),
        clock=np.array([[-1, 0, 1, PERIOD_S]], np.float32),
        lidar=np.zeros(sweeps, np.int64),
        origin=np.zeros((sweeps, 3), np.float32),
        velocity=np.zeros((sweeps, 3), np.float32),
        R_lidar_global=np.tile(np.eye(3, dtype=np.float32), (sweeps, 1, 1)),
        read=np.ones(sweeps, np.bool_),
    )


def asked_about(offsets, sweeps: int = SWEEPS) -> np.ndarray:
    """The sweeps (S,K) so many after each, -1 for none."""
    there = np.arange(sweeps)[:, None] + np.asarray(offsets, np.int64)
    return np.where((there >= 0) & (there < sweeps), there, -1)


def at(azimuth: float, elevation: float, distance: float) -> np.ndarray:
    c = np.cos(elevation)
    return distance * np.array([c * np.cos(azimuth), c * np.sin(azimuth), np.sin(elevation)])


def around(lower: list[float], upper: list[float]) -> np.ndarray:
    """Ranges of the four columns about azimuth 0 (16 to 19 of 36, ten degrees each); all else far away."""
    image = np.full((2, 36), 60.0, np.float32)
    image[0, 16:20], image[1, 16:20] = lower, upper
    return image
