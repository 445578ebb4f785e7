"""Is the ground below the car, level, and as far below the lidar as a lidar is mounted?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from densegt.datasets.sanity.finding import SanityFinding
from densegt.datasets.sanity.sample import SceneSample
from densegt.datasets.scene import Points, Sweep
from densegt.geometry import se3

CHECK = "ground"
NEAR_M = 20.0
ON_PLANE_M = 0.15
# How far the ground may lean in the ego frame, and where the ego's origin and a lidar may be above it.
MAX_LEAN_DEG, USUAL_LEAN_DEG = 15.0, 3.5
EGO_ABOVE_M, LIDAR_ABOVE_M = (-0.6, 2.6), (0.4, 5.0)
MIN_SHARE = 0.12


def ground_plane(xyz: NDArray[np.float64], rng: np.random.Generator) -> tuple[NDArray[np.float64], float, float]:
    """The plane n.p + d = 0 that holds most of the points (N,3): unit normal (3,), d, and the share that it holds."""
    best = (np.array([0.0, 0.0, 1.0]), 0.0, 0.0)
    for _ in range(200):
        a, b, c = xyz[rng.choice(len(xyz), 3, replace=False)]
        n = np.cross(b - a, c - a)
        length = np.linalg.norm(n)
        if length < 1e-3:
            continue
        n = n / length
        share = float((np.abs((xyz - a) @ n) < ON_PLANE_M).mean())
        if share > best[2]:
            best = (n, -float(n @ a), share)
    return best


@dataclass(frozen=True)
class Ground:
    """The largest plane near a lidar.

    Attributes:
        lean_deg: from the ego's horizontal; 180 where it is above the lidar.
        below_ego_m, below_lidar_m: how far under the ego's origin and under the lidar.
        share: of the near points that lie on it.
    """

    lean_deg: float
    below_ego_m: float
    below_lidar_m: float
    share: float


def ground_below(sweep: Sweep, points: Points) -> Ground | None:
    """The ground as a sweep and its extrinsic have it; None where no plane stands out, or the largest is a wall."""
    xyz_ego = se3.apply(sweep.T_ego_lidar, points.xyz_lidar)
    range_m = np.linalg.norm(points.xyz_lidar, axis=1)
    near = xyz_ego[(range_m > 2.0) & (range_m < NEAR_M)]
    if len(near) < 500:
        return None
    normal, d, share = ground_plane(near, np.random.default_rng(0))
    lidar = sweep.T_ego_lidar[:3, 3]
    # Up is the side that the lidar is on.
    side = 1.0 if normal @ lidar + d > 0 else -1.0
    lean_deg = float(np.rad2deg(np.arccos(np.clip(side * normal[2], -1, 1))))
    if share < MIN_SHARE or (75 < lean_deg < 105 and share < 0.4):
        return None
    return Ground(lean_deg, side * d, side * (float(normal @ lidar) + d), share)


def check_ground(sample: SceneSample) -> Iterator[SanityFinding]:
    """The ground below each lidar, and its lean over the scene."""
    for sweep, points in sample.single:
        ground = ground_below(sweep, points)
        if ground is not None:
            yield from _check(f"lidar {sweep.lidar.channel}", ground)
    found = [ground_below(pair.first, pair.first_points) for pair in sample.pairs]
    leans = [ground.lean_deg for ground in found if ground is not None]
    if len(leans) > 2 and USUAL_LEAN_DEG < np.median(leans) <= MAX_LEAN_DEG:
        facts = f"the ground leans by {np.median(leans):.1f} degrees in the ego frame, all along"
        yield SanityFinding(CHECK, f"lidar {sample.pairs[0].first.lidar.channel}", facts, "check its pitch and roll")


def _check(name: str, ground: Ground) -> Iterator[SanityFinding]:
    if ground.lean_deg > 180 - MAX_LEAN_DEG:
        yield SanityFinding(CHECK, name, "the ground is above it", "is it mounted upside down?", fatal=True)
    elif ground.lean_deg > MAX_LEAN_DEG:
        facts = f"the ground leans by {ground.lean_deg:.0f} degrees in the ego frame"
        advice = "check its extrinsic rotation and the order of quaternions (w,x,y,z)"
        yield SanityFinding(CHECK, name, facts, advice, fatal=True)
    elif not LIDAR_ABOVE_M[0] < ground.below_lidar_m < LIDAR_ABOVE_M[1]:
        facts = f"it is {ground.below_lidar_m:.2f} m above the ground"
        yield SanityFinding(CHECK, name, facts, "are points in metres, and in the lidar's own frame?", fatal=True)
    elif not EGO_ABOVE_M[0] < ground.below_ego_m < EGO_ABOVE_M[1]:
        facts = f"the ego's origin is {ground.below_ego_m:.2f} m above the ground that it sees"
        yield SanityFinding(
            CHECK, name, facts, "is T_ego_lidar inverted, or are points in the ego's frame?", fatal=True
        )
