"""Gives points to the moving boxes that hold them, and carries them into those boxes' frames."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(cache=True, nogil=True)
def pose_between(
    poses: NDArray[np.float64], start_s: float, step_s: float, time_s: float, out: NDArray[np.float64]
) -> None:
    """Fill `out` (3,4) with the pose at a time, on a straight line between two of the samples `poses` (G,3,4)."""
    at = max((time_s - start_s) / step_s, 0.0)
    k = min(int(np.floor(at)), len(poses) - 2)
    f = min(at - k, 1.0)
    for r in range(3):
        for c in range(4):
            out[r, c] = (1 - f) * poses[k, r, c] + f * poses[k + 1, r, c]


@njit(cache=True, nogil=True)
def assign_points_to_boxes(
    xyz: NDArray[np.float32],
    time_s: NDArray[np.float32],
    first: NDArray[np.int64],
    middle: NDArray[np.float64],
    known: NDArray[np.bool_],
    radius_m: NDArray[np.float64],
    poses: NDArray[np.float64],
    start_s: float,
    step_s: float,
    half_m: NDArray[np.float64],
    margin_m: float,
    low_m: NDArray[np.float64],
    static: int,
    ambiguous: int,
    owner: NDArray[np.int32],
) -> None:
    """Write to `owner` (N,) the box that holds each point at the point's own time; of several that with nearest middle.

    Args:
        xyz: (N,3) m; time_s: (N,) s.
        first: (S+1,) first row of each sweep.
        middle: (K,S,3) m, where each box is in the middle of each sweep; known: (K,S), whether its track can tell.
        radius_m: (K,), farther from `middle` no point of the sweep is in the box.
        poses: (K,G,3,4) T_global_box sampled from start_s in steps of step_s.
        half_m: (K,3), half sizes; boxes are widened by margin_m.
        low_m: (K,), height above the box's bottom up to which a point is `ambiguous`.
        static: what nobody holds.
    """
    T = np.empty((3, 4))
    for s in range(len(first) - 1):
        near = np.flatnonzero(known[:, s])
        for i in range(first[s], first[s + 1]):
            owner[i] = static
            best = np.inf
            for k in near:
                dx, dy = xyz[i, 0] - middle[k, s, 0], xyz[i, 1] - middle[k, s, 1]
                if not dx * dx + dy * dy < radius_m[k] * radius_m[k]:
                    continue
                pose_between(poses[k], start_s, step_s, time_s[i], T)
                squared, outside, height = 0.0, 0, 0.0
                for axis in range(3):
                    p = 0.0
                    for r in range(3):
                        p += T[r, axis] * (xyz[i, r] - T[r, 3])
                    outside += not abs(p) <= half_m[k, axis] + margin_m
                    squared += p * p
                    height = p
                if outside == 0 and squared < best:
                    best = squared
                    owner[i] = ambiguous if height < low_m[k] - half_m[k, 2] else k


@njit(cache=True, nogil=True)
def move_into_box(
    xyz: NDArray[np.float32],
    tangents: NDArray[np.float32],
    time_s: NDArray[np.float32],
    rows: NDArray[np.int64],
    poses: NDArray[np.float64],
    start_s: float,
    step_s: float,
    xyz_box: NDArray[np.float32],
    tangents_box: NDArray[np.float32],
) -> None:
    """Fill positions (M,3) and tangents (M,2,3) of the surfels named by `rows` (M,) in the frame of one box.

    Args:
        poses, start_s, step_s: of that box, (G,3,4), as for `assign_points_to_boxes`.
    """
    T = np.empty((3, 4))
    for m in range(len(rows)):
        i = rows[m]
        pose_between(poses, start_s, step_s, time_s[i], T)
        for axis in range(3):
            p, t0, t1 = 0.0, 0.0, 0.0
            for r in range(3):
                p += T[r, axis] * (xyz[i, r] - T[r, 3])
                t0 += T[r, axis] * tangents[i, 0, r]
                t1 += T[r, axis] * tangents[i, 1, r]
            xyz_box[m, axis] = p
            tangents_box[m, 0, axis] = t0
            tangents_box[m, 1, axis] = t1
