"""Asks other sweeps whether their beams met a place or passed through it."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from densegt.kernels.beam import ROUGH_RAD, place_in_beam, rough_arctan2


@njit(cache=True, nogil=True)
def fill_range_image(
    row: NDArray[np.int64],
    azimuth: NDArray[np.float32],
    range_m: NDArray[np.float32],
    out: NDArray[np.float32],
) -> None:
    """Write ranges (N,) into `out` (R,C) m, 0 = no return, by ring row (N,) and azimuth in [-pi, pi); nearest wins."""
    columns = out.shape[1]
    for i in range(len(row)):
        c = int((azimuth[i] + np.pi) / (2 * np.pi) * columns) % columns
        if out[row[i], c] == 0 or range_m[i] < out[row[i], c]:
            out[row[i], c] = range_m[i]


# Elevations in between that are looked up; finer than rings lie, so that seldom more than one step is left.
LOOKUP = 1024


@njit(cache=True, nogil=True, error_model="numpy")
def free_space_votes(
    xyz: NDArray[np.float32],
    sweep: NDArray[np.int32],
    offsets: NDArray[np.int64],
    images: NDArray[np.float32],
    ring_elevation: NDArray[np.float32],
    origin: NDArray[np.float32],
    velocity: NDArray[np.float32],
    R_lidar_global: NDArray[np.float32],
    clock: NDArray[np.float32],
    absolute_m: float,
    relative: float,
    passed: NDArray[np.uint8],
    met: NDArray[np.uint8],
) -> None:
    """Count the sweeps whose beams all around a place passed through it, and those that met a surface there.

    A place has passed a sweep's test only if every return of the two rings and four columns around its direction
    lies beyond it by the margin, and both rings have a return: thin poles, fences and grazing ground, which some of
    these beams meet, are never passed. A place behind a nearer return is hidden and gives no vote.

    Args:
        xyz: (N,3) m in global minus origin.
        sweep: (N,) index of the sweep that measured the point.
        offsets: (M,) sweeps to ask, relative to `sweep`.
        images: (S,R,C) ranges in m, 0 = no return, rings from the lowest up.
        ring_elevation: (R,) rad, increasing.
        origin: (S,3) where the lidar was at each stamp; velocity: (S,3) m/s.
        R_lidar_global: (S,3,3).
        clock: see `beam_to`.
        absolute_m, relative: the margin is absolute_m + relative x range.
        passed, met: out (N,).
    """
    sweeps, rings, columns = images.shape
    # Rings are told apart by the tangent of elevation, which rises with it and needs no arctangent.
    ring_slope = np.tan(ring_elevation.astype(np.float64))
    lowest, highest = ring_slope[0], ring_slope[rings - 1]
    scale = LOOKUP / max(highest - lowest, 1e-9)
    ring_above = np.searchsorted(ring_slope, lowest + np.arange(LOOKUP + 1) / scale, side="right")
    per_column = columns / (2 * np.pi)
    for i in range(len(xyz)):
        passed[i], met[i] = 0, 0
        for o in offsets:
            s = sweep[i] + o
            if s < 0 or s >= sweeps:
                continue
            x, y, z = place_in_beam(xyz[i], origin[s], velocity[s], R_lidar_global[s], clock)
            flat_squared = x * x + y * y
            slope = z / np.sqrt(flat_squared)
            if not (lowest <= slope < highest):
                continue
            upper = min(ring_above[int((slope - lowest) * scale)], rings - 1)
            # Rounding may have looked up the cell above.
            while ring_slope[upper - 1] > slope:
                upper -= 1
            while ring_slope[upper] <= slope:
                upper += 1
            distance = np.sqrt(flat_squared + z * z)
            column = (rough_arctan2(y, x) + np.pi) * per_column - 0.5
            if abs(column - np.round(column)) < 2 * ROUGH_RAD * per_column:
                # Too close to a border for a rough answer.
                column = (np.arctan2(y, x) + np.pi) * per_column - 0.5
            first = int(np.floor(column)) - 1
            margin = absolute_m + relative * distance
            beyond, touched = 0, False
            for ring in (upper - 1, upper):
                nearest = np.inf
                for c in range(first, first + 4):
                    # At most two columns over either end; a remainder would cost a division.
                    r = images[s, ring, c + columns if c < 0 else c - columns if c >= columns else c]
                    answered = r > 0
                    nearest = r if answered and r < nearest else nearest
                    touched |= answered and abs(r - distance) <= margin
                if touched:
                    break
                if distance + margin < nearest < np.inf:
                    beyond += 1
            if touched:
                met[i] += 1
            elif beyond == 2:
                passed[i] += 1
