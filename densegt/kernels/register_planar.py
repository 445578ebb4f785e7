"""Planar registration (x, y, yaw) of a sweep's points to a voxel model in the object's frame."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

Array = NDArray[np.float64]


class VoxelModel(NamedTuple):
    """Points of an object in its own frame, one to a voxel. Voxels are twice as high as wide.

    Attributes:
        slot: (A,B,C) int32, row of each voxel in the other arrays, -1 = empty; the origin is in the middle of A and B.
        xyz: (M,3) m; normal: (M,3); means of the points added. added: (M,) int64, how many.
    """

    slot: NDArray[np.int32]
    xyz: Array
    normal: Array
    added: NDArray[np.int64]


@njit(cache=True, nogil=True)
def nearest_in_model(p: Array, model: VoxelModel, cell_m: float, reach: int, reach_up: int, reach_m: float) -> int:
    """Index of the model's point nearest to `p` (3,), squared heights times a tenth; -1 = none within `reach_m`."""
    slot, xyz = model.slot, model.xyz
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
                dx, dy, dz = p[0] - xyz[m, 0], p[1] - xyz[m, 1], p[2] - xyz[m, 2]
                squared = dx * dx + dy * dy + 0.1 * dz * dz
                if squared < best:
                    best, found = squared, m
    return found


@njit(cache=True, nogil=True)
def near_model(p: Array, model: VoxelModel, cell_m: float, reach_m: float, out: NDArray[np.bool_]) -> None:
    """Write whether each point (N,3) has a point of the model within `reach_m`; see `nearest_in_model`."""
    reach = int(np.ceil(reach_m / cell_m))
    for i in range(len(p)):
        out[i] = nearest_in_model(p[i], model, cell_m, reach, model.slot.shape[2], reach_m) >= 0


@njit(cache=True, nogil=True)
def add_to_model(p: Array, normal: Array, model: VoxelModel, size: int, cell_m: float, most: int) -> int:
    """Add points (N,3) with normals (N,3) to the running means of the voxels; returns the new number of points.

    Args:
        size: number of points in the model; beyond the length of its arrays no voxel is added.
        most: length of the running mean.
    """
    slot, xyz, mean_normal, count = model
    for i in range(len(p)):
        a = int(np.floor(p[i, 0] / cell_m)) + slot.shape[0] // 2
        b = int(np.floor(p[i, 1] / cell_m)) + slot.shape[1] // 2
        c = int(np.floor(p[i, 2] / (2 * cell_m)))
        if not (0 <= a < slot.shape[0] and 0 <= b < slot.shape[1] and 0 <= c < slot.shape[2]):
            continue
        m = slot[a, b, c]
        if m < 0:
            if size == len(xyz):
                continue
            m = size
            slot[a, b, c] = m
            xyz[m], mean_normal[m], count[m] = p[i], normal[i], 1
            size += 1
            continue
        share = 1.0 / min(count[m] + 1, most)
        count[m] += 1
        sign = 1.0 if np.dot(mean_normal[m], normal[i]) >= 0 else -1.0
        xyz[m] += share * (p[i] - xyz[m])
        mean_normal[m] += share * (sign * normal[i] - mean_normal[m])
    return size


@njit(cache=True, nogil=True)
def register_planar(
    p: Array,
    normal: Array,
    model: VoxelModel,
    cell_m: float,
    reach_m: float,
    prior: Array,
    start: Array,
    rounds: int,
) -> tuple[Array, int]:
    """Pose (x, y, yaw) (3,) of the object that aligns points with its model, and the number of matched points.

    Robust Gauss-Newton on point-to-plane and, weakly, point-to-point distances, with a prior.

    Args:
        p: (N,3) m; normal: (N,3) in the same frame.
        prior: (3,) information (1 / variance) of `start` (3,).
        rounds: of matching.
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
            m = nearest_in_model(q, model, cell_m, reach, 1, radius)
            if m < 0:
                continue
            matched += 1
            ex, ey = q[0] - model.xyz[m, 0], q[1] - model.xyz[m, 1]
            nx, ny = model.normal[m, 0], model.normal[m, 1]
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
        # Errors of one sweep's points are correlated: many weigh no more than a few.
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
