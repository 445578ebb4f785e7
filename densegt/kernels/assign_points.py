"""Points assigned to the moving boxes that contain them, and transformed into those boxes' frames."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

# Points that boxes are sorted out for together.
_BLOCK = 128


class SampledPoses(NamedTuple):
    """Poses of K boxes at G equidistant times.

    Attributes:
        T_origin_box: (K,G,3,4) float64, origin is global minus an offset.
        start_s: time of the first sample; step_s: between samples.
    """

    T_origin_box: NDArray[np.float64]
    start_s: float
    step_s: float


class TimedPoints(NamedTuple):
    """Points of all sweeps, sweep after sweep.

    Attributes:
        xyz: (N,3) float32 m; time_s: (N,) float32 s.
        first: (S+1,) int64, first row of each sweep.
    """

    xyz: NDArray[np.float32]
    time_s: NDArray[np.float32]
    first: NDArray[np.int64]


class MovingBoxes(NamedTuple):
    """K boxes.

    Attributes:
        centre: (K,S,3) m, at the middle of each sweep; known: (K,S), whether the track covers that time.
        radius_m: (K,), a point farther than this from `centre` in the plane is outside throughout the sweep.
        half_m: (K,3), half sizes with margin.
        ambiguous_below_m: (K,), z in the box below which a point may be wheel or road.
    """

    centre: NDArray[np.float64]
    known: NDArray[np.bool_]
    radius_m: NDArray[np.float64]
    half_m: NDArray[np.float64]
    ambiguous_below_m: NDArray[np.float64]


@njit(cache=True, nogil=True)
def pose_between(motion: SampledPoses, box: int, time_s: float, out: NDArray[np.float64]) -> None:
    """Fill `out` (3,4) with the pose of a box at a time, linear between samples, constant after the last."""
    poses = motion.T_origin_box[box]
    at = max((time_s - motion.start_s) / motion.step_s, 0.0)
    k = min(int(np.floor(at)), len(poses) - 2)
    f = min(at - k, 1.0)
    for r in range(3):
        for c in range(4):
            out[r, c] = (1 - f) * poses[k, r, c] + f * poses[k + 1, r, c]


@njit(cache=True, nogil=True)
def _boxes_near(xyz: NDArray[np.float32], boxes: MovingBoxes, sweep: int, out: NDArray[np.int64]) -> int:
    """Write to `out` (K,) the known boxes whose radius reaches the rectangle around some points (N,3); how many."""
    x_lo, x_hi, y_lo, y_hi = np.inf, -np.inf, np.inf, -np.inf
    for i in range(len(xyz)):
        x, y = float(xyz[i, 0]), float(xyz[i, 1])
        # So that NaN counts neither way: it is in no box.
        x_lo, x_hi = x if x < x_lo else x_lo, x if x > x_hi else x_hi
        y_lo, y_hi = y if y < y_lo else y_lo, y if y > y_hi else y_hi
    count = 0
    for k in range(len(boxes.radius_m)):
        x, y = boxes.centre[k, sweep, 0], boxes.centre[k, sweep, 1]
        dx, dy = max(x_lo - x, x - x_hi, 0.0), max(y_lo - y, y - y_hi, 0.0)
        out[count] = k
        count += boxes.known[k, sweep] and dx * dx + dy * dy < boxes.radius_m[k] * boxes.radius_m[k]
    return count


@njit(cache=True, nogil=True)
def assign_points_to_boxes(
    points: TimedPoints, boxes: MovingBoxes, motion: SampledPoses, static: int, ambiguous: int, owner: NDArray[np.int32]
) -> None:
    """Write to `owner` (N,) the box that contains each point at the point's own time, `static` for none.

    Of several boxes the one with the nearest centre wins; a point in its lowest slice is `ambiguous`.
    """
    T = np.empty((3, 4))
    xyz, first = points.xyz, points.first
    near = np.empty(len(boxes.radius_m), dtype=np.int64)
    for s in range(len(first) - 1):
        # A sweep's points are in order of time: some in a row lie in a narrow sector, with few boxes near.
        for begin in range(first[s], first[s + 1], _BLOCK):
            end = min(begin + _BLOCK, first[s + 1])
            count = _boxes_near(xyz[begin:end], boxes, s, near)
            for i in range(begin, end):
                owner[i] = static
                best = np.inf
                for k in near[:count]:
                    dx, dy = xyz[i, 0] - boxes.centre[k, s, 0], xyz[i, 1] - boxes.centre[k, s, 1]
                    if not dx * dx + dy * dy < boxes.radius_m[k] * boxes.radius_m[k]:
                        continue
                    pose_between(motion, k, points.time_s[i], T)
                    squared, outside, height = 0.0, 0, 0.0
                    for axis in range(3):
                        p = 0.0
                        for r in range(3):
                            p += T[r, axis] * (xyz[i, r] - T[r, 3])
                        outside += not abs(p) <= boxes.half_m[k, axis]
                        squared += p * p
                        height = p
                    if outside == 0 and squared < best:
                        best = squared
                        owner[i] = ambiguous if height < boxes.ambiguous_below_m[k] else k


@njit(cache=True, nogil=True)
def move_into_box(
    points: TimedPoints,
    tangents: NDArray[np.float32],
    rows: NDArray[np.int64],
    motion: SampledPoses,
    box: int,
    xyz_box: NDArray[np.float32],
    tangents_box: NDArray[np.float32],
) -> None:
    """Fill positions (M,3) and tangents (M,2,3) of the surfels `rows` (M,) in one box's frame at their own times.

    Args:
        tangents: (N,2,3) unit vectors in origin.
    """
    T = np.empty((3, 4))
    xyz = points.xyz
    for m in range(len(rows)):
        i = rows[m]
        pose_between(motion, box, points.time_s[i], T)
        for axis in range(3):
            p, t0, t1 = 0.0, 0.0, 0.0
            for r in range(3):
                p += T[r, axis] * (xyz[i, r] - T[r, 3])
                t0 += T[r, axis] * tangents[i, 0, r]
                t1 += T[r, axis] * tangents[i, 1, r]
            xyz_box[m, axis] = p
            tangents_box[m, 0, axis] = t0
            tangents_box[m, 1, axis] = t1
