"""Lays a sweep's points onto a model in the object's own frame: where is the object, which way is it turned?"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Array = NDArray[np.float64]


@njit(cache=True, nogil=True)
def nearest_in_model(
    p: Array, slot: NDArray[np.int32], place: Array, cell_m: float, reach: int, reach_up: int, reach_m: float
) -> int:
    """Index of the model's point nearest to `p` (3,), seen from above first; -1 if none is within `reach_m`."""
    a = int(np.floor(p[0] / cell_m)) + slot.shape[0] // 2
    b = int(np.floor(p[1] / cell_m)) + slot.shape[1] // 2
    c = int(np.floor(p[2] / (2 * cell_m)))
    best, found = reach_m * reach_m, -1
    for u in range(max(a - reach, 0), min(a + reach + 1, slot.shape[0])):
        for v in range(max(b - reach, 0), min(b + reach + 1, slot.shape[1])):
            for w in range(max(c - reach_up, 0), min(c + reach_up + 1, slot.shape[2])):
                m = slot[u, v, w]
                if m < 0:
                    continue
                dx, dy, dz = p[0] - place[m, 0], p[1] - place[m, 1], p[2] - place[m, 2]
                squared = dx * dx + dy * dy + 0.1 * dz * dz
                if squared < best:
                    best, found = squared, m
    return found


@njit(cache=True, nogil=True)
def near_model(
    p: Array, slot: NDArray[np.int32], place: Array, cell_m: float, reach_m: float, out: NDArray[np.bool_]
) -> None:
    """Which points (N,3) have the model within reach; heights count little."""
    reach = int(np.ceil(reach_m / cell_m))
    for i in range(len(p)):
        out[i] = nearest_in_model(p[i], slot, place, cell_m, reach, slot.shape[2], reach_m) >= 0


@njit(cache=True, nogil=True)
def add_to_model(
    p: Array,
    normal: Array,
    slot: NDArray[np.int32],
    place: Array,
    facing: Array,
    count: NDArray[np.int64],
    size: int,
    cell_m: float,
    most: int,
) -> int:
    """Add points (N,3) with normals (N,3), in the object's frame, to the cells' running means; the new size."""
    for i in range(len(p)):
        a = int(np.floor(p[i, 0] / cell_m)) + slot.shape[0] // 2
        b = int(np.floor(p[i, 1] / cell_m)) + slot.shape[1] // 2
        c = int(np.floor(p[i, 2] / (2 * cell_m)))
        if not (0 <= a < slot.shape[0] and 0 <= b < slot.shape[1] and 0 <= c < slot.shape[2]):
            continue
        m = slot[a, b, c]
        if m < 0:
            if size == len(place):
                continue
            m = size
            slot[a, b, c] = m
            place[m], facing[m], count[m] = p[i], normal[i], 1
            size += 1
            continue
        share = 1.0 / min(count[m] + 1, most)
        count[m] += 1
        sign = 1.0 if np.dot(facing[m], normal[i]) >= 0 else -1.0
        place[m] += share * (p[i] - place[m])
        facing[m] += share * (sign * normal[i] - facing[m])
    return size


@njit(cache=True, nogil=True)
def register_planar(
    p: Array,
    normal: Array,
    slot: NDArray[np.int32],
    place: Array,
    facing: Array,
    cell_m: float,
    reach_m: float,
    prior: Array,
    start: Array,
    rounds: int,
) -> tuple[Array, int]:
    """Pose (x, y, yaw) (3,) of the object that lays points onto its model, and how many found a partner.

    Gauss-Newton on the distance along the model's normals, and a little on the distance itself, robust; a prior holds
    what the points do not tell.

    Args:
        p: (N,3) m, where the points are at one time; normal: (N,3), turned the same way.
        slot, place, facing: the model, see `add_to_model`.
        prior: (3,) how much the pose is believed to be `start` (3,): 1 / variance.
        rounds: of matching anew.
    """
    pose = start.copy()
    q = np.empty(3)
    matched = 0
    for turn in range(rounds):
        c, s = np.cos(pose[2]), np.sin(pose[2])
        H = np.zeros((3, 3))
        g = np.zeros(3)
        matched = 0
        radius = reach_m if turn < 2 else max(0.6 * reach_m, 0.35)
        reach = int(np.ceil(radius / cell_m))
        for i in range(len(p)):
            dx, dy = p[i, 0] - pose[0], p[i, 1] - pose[1]
            q[0], q[1], q[2] = c * dx + s * dy, -s * dx + c * dy, p[i, 2]
            m = nearest_in_model(q, slot, place, cell_m, reach, 1, radius)
            if m < 0:
                continue
            matched += 1
            ex, ey = q[0] - place[m, 0], q[1] - place[m, 1]
            nx, ny = facing[m, 0], facing[m, 1]
            along = nx * ex + ny * ey
            # 0.07 m along the normal, 0.35 m across.
            weight = 1.0 / (1.0 + along * along / 0.02)
            wn, wt = weight / 0.005, weight / 0.12
            # d q / d (x, y, yaw)
            J = np.array([[-c, -s, q[1]], [s, -c, -q[0]]])
            W = np.array([[wn * nx * nx + wt, wn * nx * ny], [wn * nx * ny, wn * ny * ny + wt]])
            e = np.array([ex, ey])
            JW = J.T @ W
            H += JW @ J
            g += JW @ e
        if matched == 0:
            return pose, 0
        # Points of one sweep err together: many of them tell no more than a few.
        scale = min(1.0, 15.0 / matched)
        H *= scale
        g *= scale
        for k in range(3):
            H[k, k] += prior[k]
            g[k] += prior[k] * (pose[k] - start[k])
        step = np.linalg.solve(H, g)
        pose -= step
        if abs(step[0]) + abs(step[1]) + abs(step[2]) < 2e-3 and turn > 1:
            break
    return pose, matched
