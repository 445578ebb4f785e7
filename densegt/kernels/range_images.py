"""The sweeps of a scene as images of ranges."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

Float32 = NDArray[np.float32]


class RangeImages(NamedTuple):
    """Sweeps (S) of lidars (L) as images of ranges (R rings, C columns), as the beams saw it from the moving lidar.

    Attributes:
        ranges_m: (S,R,C) float32, 0 = no return; rings from the lowest up, those beyond the lidar's last stay 0.
        ring_elevation: (L,R) float32 rad, increasing; infinite beyond a lidar's last ring.
        clock: (L,4) float32, see `densegt.kernels.beam.beam_to`.
        lidar: (S,) int64, index of each sweep's lidar.
        origin: (S,3) float32 m, the lidar at the stamp in global minus the scene's origin.
        velocity: (S,3) float32 m/s.
        R_lidar_global: (S,3,3) float32 at the stamp.
        read: (S,) bool, sweeps that hold a return.
    """

    ranges_m: Float32
    ring_elevation: Float32
    clock: Float32
    lidar: NDArray[np.int64]
    origin: Float32
    velocity: Float32
    R_lidar_global: Float32
    read: NDArray[np.bool_]


class Margin(NamedTuple):
    """How far a return must lie from a place to be none of its surface: absolute_m + relative x range."""

    absolute_m: float
    relative: float


@njit(cache=True, nogil=True)
def fill_range_image(row: NDArray[np.int64], column: NDArray[np.uint16], range_m: Float32, out: Float32) -> None:
    """Write ranges (N,) into `out` (R,C) m, 0 = no return, by ring row (N,) and column (N,); the nearest wins."""
    for i in range(len(row)):
        r, c = row[i], column[i]
        if out[r, c] == 0 or range_m[i] < out[r, c]:
            out[r, c] = range_m[i]
