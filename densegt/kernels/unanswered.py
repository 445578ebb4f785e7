"""Places from whose direction some sweeps got no answer at all."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from densegt.kernels.beam import beam_to


@njit(cache=True, nogil=True)
def unanswered(
    xyz: NDArray[np.float32],
    asked: NDArray[np.int64],
    images: NDArray[np.float32],
    ring_elevation: NDArray[np.float32],
    origin: NDArray[np.float32],
    velocity: NDArray[np.float32],
    R_lidar_global: NDArray[np.float32],
    clock: NDArray[np.float32],
    max_range_m: float,
    min_elevation_rad: float,
    margin_m: float,
    out: NDArray[np.bool_],
) -> None:
    """Mark places (N,3) within every asked sweep's field and range whose beams around mostly never came back.

    Glass, mirrors and black paint swallow beams. What other sweeps saw beyond such a place from elsewhere is not what
    a camera there sees. The beams around are those of the two rings and four columns next to the place's direction: at
    least half of them must be without answer, and none may have come from the place or beyond.

    Args:
        asked: (M,) indices of sweeps.
        images, ring_elevation, origin, velocity, R_lidar_global, clock: as for `free_space_votes`.
        max_range_m: farther places may have no answer for want of signal and are not marked.
        margin_m: an answer from this much before the place counts as one from the place.
        min_elevation_rad: below it the recording car's own body stands in the way, and places are not marked.
        out: (N,), written everywhere.
    """
    rings, columns = images.shape[1], images.shape[2]
    lowest = max(ring_elevation[0], min_elevation_rad)
    for i in range(len(xyz)):
        out[i] = len(asked) > 0
        for s in asked:
            azimuth, elevation, distance = beam_to(xyz[i], origin[s], velocity[s], R_lidar_global[s], clock)
            if distance > max_range_m or not (lowest <= elevation < ring_elevation[rings - 1]):
                out[i] = False
                break
            upper = np.searchsorted(ring_elevation, elevation, side="right")
            first = int(np.floor((azimuth + np.pi) / (2 * np.pi) * columns - 0.5)) - 1
            empty = 0
            for ring in (upper - 1, upper):
                for c in range(first, first + 4):
                    answer = images[s, ring, c % columns]
                    empty += answer == 0
                    if answer > distance - margin_m:
                        out[i] = False
            if empty < 4:
                out[i] = False
            if not out[i]:
                break
