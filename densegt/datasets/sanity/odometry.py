"""How a lidar moved between two sweeps, told from their points alone: point-to-plane registration."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from densegt.datasets.sanity.sample import SweepPair
from densegt.geometry import se3

Float64 = NDArray[np.float64]

TARGET_POINTS, SOURCE_POINTS, NEIGHBOURS = 8_000, 1_500, 8
MIN_RANGE_M, MAX_RANGE_M = 3.0, 50.0
ITERATIONS = 20
# Distances across planes beyond this speak of another surface.
COARSE_M, FINE_M = 1.0, 0.15


@dataclass(frozen=True)
class Planes:
    """Places of a sweep with the planes about them.

    Attributes:
        xyz: (N,3) m, normal: (N,3), both in that sweep's lidar frame; flat: (N,) whether there is a plane.
    """

    tree: cKDTree
    xyz: Float64
    normal: Float64
    flat: NDArray[np.bool_]

    @classmethod
    def of(cls, xyz_lidar: NDArray[np.float32]) -> Planes:
        """Planes through each point's nearest neighbours."""
        xyz = some_points(xyz_lidar, TARGET_POINTS)
        tree = cKDTree(xyz)
        _, near = tree.query(xyz, NEIGHBOURS)
        around = xyz[near] - xyz[near].mean(axis=1, keepdims=True)
        spread, axes = np.linalg.eigh(np.einsum("nki,nkj->nij", around, around))
        return cls(tree, xyz, axes[:, :, 0], spread[:, 0] < 0.1 * spread[:, 1])

    def misfit(self, xyz: Float64, scale_m: float) -> tuple[NDArray[np.intp], Float64, NDArray[np.bool_]]:
        """Nearest place, signed distance (N,) across its plane, and which points (N,) have one nearby."""
        distance, near = self.tree.query(xyz, distance_upper_bound=max(4 * scale_m, 1.0))
        found = np.isfinite(distance)
        near = np.where(found, near, 0)
        across = np.einsum("ni,ni->n", xyz - self.xyz[near], self.normal[near])
        return near, across, found & self.flat[near]


def some_points(xyz_lidar: NDArray[np.float32], most: int) -> Float64:
    """Points neither on the car nor far away, evenly drawn; one a cube of 0.2 m, or what is near outweighs all."""
    range_m = np.linalg.norm(xyz_lidar, axis=1)
    xyz = xyz_lidar[(range_m > MIN_RANGE_M) & (range_m < MAX_RANGE_M)].astype(np.float64)
    _, first = np.unique(np.floor(xyz / 0.2).astype(np.int64), axis=0, return_index=True)
    xyz = xyz[np.sort(first)]
    evenly: Float64 = xyz[:: max(1, -(-len(xyz) // most))]
    return evenly


def register(planes: Planes, xyz_lidar: NDArray[np.float32], start: Float64) -> Float64:
    """T_first_second (4,4) that lays a second sweep's points on the planes of a first, near a start (4,4)."""
    source = some_points(xyz_lidar, SOURCE_POINTS)
    T = start.copy()
    for scale_m in np.geomspace(COARSE_M, FINE_M, ITERATIONS):
        moved = se3.apply(T, source)
        near, across, known = planes.misfit(moved, scale_m)
        if known.sum() < 100:
            break
        p, n, r = moved[known], planes.normal[near[known]], across[known]
        weight = 1 / (1 + (r / scale_m) ** 2) ** 2
        J = np.concatenate([np.cross(p, n), n], axis=1)
        H = (J * weight[:, None]).T @ J + 1e-6 * np.eye(6)
        step = np.linalg.solve(H, -(J * weight[:, None]).T @ r)
        move = np.eye(4)
        move[:3, :3], move[:3, 3] = Rotation.from_rotvec(step[:3]).as_matrix(), step[3:]
        T = move @ T
    return T


def roughness_m(planes: Planes, xyz_lidar: NDArray[np.float32], T_first_second: Float64) -> float:
    """Mean distance in m across planes, each at most 0.5 m, of a second sweep laid on a first; points without one count
    most."""
    _, across, known = planes.misfit(se3.apply(T_first_second, some_points(xyz_lidar, SOURCE_POINTS)), 0.5)
    return float(np.where(known, np.minimum(np.abs(across), 0.5), 0.5).mean())


def observability(planes: Planes, xyz_lidar: NDArray[np.float32], T_first_second: Float64, way: Float64) -> float:
    """Share of what a second sweep's points say that speaks about a shift along `way` (3,): 1/3 of planes turned at
    random, 0 in a tunnel along it."""
    moved = se3.apply(T_first_second, some_points(xyz_lidar, SOURCE_POINTS))
    near, across, known = planes.misfit(moved, FINE_M)
    fits = known & (np.abs(across) < FINE_M)
    along = planes.normal[near[fits]] @ (way / max(float(np.linalg.norm(way)), 1e-9))
    return float((along**2).mean()) if len(along) else 0.0


def measured_motion(pair: SweepPair, planes: Planes) -> Float64:
    """T_first_second (4,4) from points alone: from the first sweep to the next, as often as there are such steps."""
    step = register(planes, pair.after_points.xyz_lidar, np.eye(4))
    if pair.after is pair.second:
        return step
    steps = max(1, round(pair.seconds * 1e6 / max(pair.after.timestamp_us - pair.first.timestamp_us, 1)))
    return register(planes, pair.second_points.xyz_lidar, np.linalg.matrix_power(step, min(steps, 100)))
