"""Places that sweeps looked through, and places from which they got no answer: many at a time."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from densegt.kernels.beam_lookup import BLOCK, beam_at, ring_above, ring_lookup
from densegt.kernels.range_images import Margin, RangeImages
from densegt.kernels.windows import answers_around, nearest_around

Float32 = NDArray[np.float32]


@njit(cache=True, nogil=True, error_model="numpy")
def free_space_violations(
    xyz: Float32,
    sweep: NDArray[np.int32],
    asked: NDArray[np.int64],
    images: RangeImages,
    margin: Margin,
    passed: NDArray[np.uint8],
) -> None:
    """Count as `passed` (N,) what `free_space_votes` counts, for places sorted by sweep, and several times faster.

    Args: as for `free_space_votes`.
    """
    sweeps, most_rings, columns = images.ranges_m.shape
    rings = ring_lookup(images.ring_elevation)
    slopes = rings.slope.astype(np.float32)
    wider, apart = np.float32(1 + margin.relative), np.float32(margin.absolute_m)
    nearest = np.empty((sweeps, most_rings - 1, columns), dtype=np.float32)
    prepared = np.zeros(sweeps, dtype=np.bool_)
    column, slope = np.empty(BLOCK, dtype=np.int32), np.empty(BLOCK, dtype=np.float32)
    distance = np.empty(BLOCK, dtype=np.float32)
    begin, end = 0, 0
    while begin < len(xyz):
        end, last = begin + 1, min(begin + BLOCK, len(xyz))
        while end < last and sweep[end] == sweep[begin]:
            end += 1
        passed[begin:end] = 0
        for s in asked[sweep[begin]]:
            if s < 0:
                continue
            if not prepared[s]:
                nearest_around(images.ranges_m[s], nearest[s])
                prepared[s] = True
            n = images.lidar[s]
            pose = (images.origin[s], images.velocity[s], images.R_lidar_global[s])
            beam_at(xyz[begin:end], *pose, images.clock[n], columns, column, slope, distance)
            ring_slope, above, per_slope, top = slopes[n], rings.above[n], rings.per_slope[n], rings.last[n]
            lowest, highest = ring_slope[0], ring_slope[top]
            for k in range(end - begin):
                if lowest <= slope[k] < highest:
                    ring = ring_above(slope[k], ring_slope, above, per_slope, top)
                    passed[begin + k] += nearest[s, ring - 1, column[k]] > distance[k] * wider + apart
        begin = end


@njit(cache=True, nogil=True, error_model="numpy")
def free_space_violations_now(
    xyz: Float32,
    sweep: NDArray[np.int32],
    rows: NDArray[np.int32],
    asked: NDArray[np.int64],
    images: RangeImages,
    margin: Margin,
    max_answer_m: float,
    min_elevation_rad: float,
    passed: NDArray[np.uint8],
    silent: NDArray[np.bool_],
) -> None:
    """Count the asked sweeps that looked through a place, and tell where its own lidar's often got no answer.

    Args:
        xyz: (N,3) m in global minus origin; sweep: (N,), which measured it.
        rows: (M,), the places to ask for.
        asked: (A,) sweeps.
        max_answer_m: places farther than this, and than 1.1 times what their own sweep saw them from, may have no
            answer for want of signal.
        min_elevation_rad: below it the recording car's own body stands in the way, and places are not silent.
        passed, silent: out (M,).
    """
    lidars, most_rings = images.ring_elevation.shape
    columns = images.ranges_m.shape[2]
    rings = ring_lookup(images.ring_elevation)
    slopes = rings.slope.astype(np.float32)
    wider, apart = np.float32(1 + margin.relative), np.float32(margin.absolute_m)
    shape = (len(asked), most_rings - 1, columns)
    # Nearest and farthest answer lie side by side: both are asked for at the same places.
    answers, one = np.empty((*shape, 2), dtype=np.float32), np.empty(shape[1:], dtype=np.float32)
    empty = np.empty(shape, dtype=np.uint8)
    asked_of = np.zeros(lidars, dtype=np.int64)
    for a in range(len(asked)):
        nearest_around(images.ranges_m[asked[a]], one)
        answers[a, :, :, 0] = one
        answers_around(images.ranges_m[asked[a]], one, empty[a])
        answers[a, :, :, 1] = one
        asked_of[images.lidar[asked[a]]] += 1
    place = np.empty((BLOCK, 3), dtype=np.float32)
    column, slope = np.empty(BLOCK, dtype=np.int32), np.empty(BLOCK, dtype=np.float32)
    distance, most_m = np.empty(BLOCK, dtype=np.float32), np.empty(BLOCK, dtype=np.float32)
    without, own = np.empty(BLOCK, dtype=np.int32), np.empty(BLOCK, dtype=np.int64)
    for begin in range(0, len(rows), BLOCK):
        count = min(BLOCK, len(rows) - begin)
        for k in range(count):
            for axis in range(3):
                place[k, axis] = xyz[rows[begin + k], axis]
            own[k] = images.lidar[sweep[rows[begin + k]]]
            passed[begin + k], silent[begin + k], without[k], most_m[k] = 0, asked_of[own[k]] > 0, 0, 0
        for a in range(len(asked)):
            s = asked[a]
            n = images.lidar[s]
            pose = (images.origin[s], images.velocity[s], images.R_lidar_global[s])
            beam_at(place[:count], *pose, images.clock[n], columns, column, slope, distance)
            ring_slope, above, per_slope, top = slopes[n], rings.above[n], rings.per_slope[n], rings.last[n]
            lowest, highest = ring_slope[0], ring_slope[top]
            lowest_silent = max(lowest, np.float32(np.tan(min_elevation_rad)))
            for k in range(count):
                if not (lowest <= slope[k] < highest):
                    silent[begin + k] &= own[k] != n
                    continue
                ring, c = ring_above(slope[k], ring_slope, above, per_slope, top) - 1, column[k]
                passed[begin + k] += answers[a, ring, c, 0] > distance[k] * wider + apart
                # What answered a lidar once would answer it again; another lidar stands elsewhere.
                if silent[begin + k] and own[k] == n:
                    silent[begin + k] = slope[k] >= lowest_silent and answers[a, ring, c, 1] <= distance[k] - apart
                    without[k] += empty[a, ring, c]
                    most_m[k] = max(most_m[k], distance[k])
        for k in range(count):
            if silent[begin + k]:
                i = rows[begin + k]
                o = images.origin[sweep[i]]
                dx, dy, dz = xyz[i, 0] - o[0], xyz[i, 1] - o[1], xyz[i, 2] - o[2]
                own_m = np.sqrt(dx * dx + dy * dy + dz * dz)
                near = most_m[k] <= max(np.float32(1.1) * own_m, np.float32(max_answer_m))
                silent[begin + k] = near and 3 * without[k] >= 8 * asked_of[own[k]]
