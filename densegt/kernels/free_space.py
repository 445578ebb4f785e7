"""How many sweeps' beams passed through a place, and how many met it."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from densegt.kernels.beam import ROUGH_RAD, place_in_beam, rough_arctan2
from densegt.kernels.beam_lookup import ring_above, ring_lookup
from densegt.kernels.range_images import Margin, RangeImages


@njit(cache=True, nogil=True, error_model="numpy")
def free_space_votes(
    xyz: NDArray[np.float32],
    sweep: NDArray[np.int32],
    asked: NDArray[np.int64],
    images: RangeImages,
    margin: Margin,
    passed: NDArray[np.uint8],
    met: NDArray[np.uint8],
) -> None:
    """Count the sweeps whose beams all around a place passed through it, and those that met a surface there.

    A place has passed a sweep's test only if every return of the two rings and four columns around its direction
    lies beyond it by the margin, and both rings have a return: thin poles, fences and grazing ground, which some of
    these beams meet, are never passed. A place behind a nearer return is hidden and gives no vote.

    Args:
        xyz: (N,3) float32 m in global minus origin.
        sweep: (N,) row of `asked` for each place.
        asked: (M,K) indices of the sweeps to ask, -1 for none.
        passed, met: out (N,).
    """
    columns = images.ranges_m.shape[2]
    # Rings are told apart by the tangent of elevation, which rises with it and needs no arctangent.
    rings = ring_lookup(images.ring_elevation)
    per_column = columns / (2 * np.pi)
    for i in range(len(xyz)):
        passed[i], met[i] = 0, 0
        for s in asked[sweep[i]]:
            if s < 0:
                continue
            n = images.lidar[s]
            x, y, z = place_in_beam(
                xyz[i], images.origin[s], images.velocity[s], images.R_lidar_global[s], images.clock[n]
            )
            flat_squared = x * x + y * y
            slope = z / np.sqrt(flat_squared)
            if not (rings.lowest[n] <= slope < rings.highest[n]):
                continue
            upper = ring_above(slope, rings.slope[n], rings.above[n], rings.per_slope[n], rings.last[n])
            distance = np.sqrt(flat_squared + z * z)
            column = (rough_arctan2(y, x) + np.pi) * per_column - 0.5
            if abs(column - np.round(column)) < 2 * ROUGH_RAD * per_column:
                # Too close to a border for a rough answer.
                column = (np.arctan2(y, x) + np.pi) * per_column - 0.5
            first = int(np.floor(column)) - 1
            apart = margin.absolute_m + margin.relative * distance
            beyond, touched = 0, False
            for ring in (upper - 1, upper):
                nearest = np.inf
                for c in range(first, first + 4):
                    # At most two columns over either end; a remainder would cost a division.
                    r = images.ranges_m[s, ring, c + columns if c < 0 else c - columns if c >= columns else c]
                    answered = r > 0
                    nearest = r if answered and r < nearest else nearest
                    touched |= answered and abs(r - distance) <= apart
                if touched:
                    break
                if distance + apart < nearest < np.inf:
                    beyond += 1
            if touched:
                met[i] += 1
            elif beyond == 2:
                passed[i] += 1
