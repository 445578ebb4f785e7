"""Points of a keyframe's own sweeps, as many in each sample."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from densegt.datasets.scene import Points, Sweep
from densegt.geometry import se3

# nuScenes' lidar gives no more in a turn; of more every so many are taken. What is nearer than this is the car itself.
MAX_POINTS = 40_000
MIN_RANGE_M = 1.5


def points_in_ref(sweeps: Sequence[tuple[Sweep, Points]], T_ref_global: NDArray[np.float64]) -> NDArray[np.float32]:
    """(MAX_POINTS,3) m in ref, of all lidars; NaN is padding."""
    found = []
    for sweep, points in sweeps:
        far = np.linalg.norm(points.xyz_lidar, axis=1) > MIN_RANGE_M
        T_ref_lidar = T_ref_global @ sweep.T_global_lidar
        found.append(se3.apply(T_ref_lidar, points.xyz_lidar[far].astype(np.float64)))
    xyz_ref = np.concatenate(found)
    if len(xyz_ref) > MAX_POINTS:
        xyz_ref = xyz_ref[np.arange(MAX_POINTS) * len(xyz_ref) // MAX_POINTS]
    padded = np.full((MAX_POINTS, 3), np.nan, np.float32)
    padded[: len(xyz_ref)] = xyz_ref
    return padded
