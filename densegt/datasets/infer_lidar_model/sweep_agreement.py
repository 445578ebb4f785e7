"""How much of the ego's motion within a turn is left in a lidar's points, from what makes its sweeps agree.

A point measured `t` s before or after the middle of its turn lies, if nobody has compensated it, where the ego was at
that time. So sweeps taken from different places agree best when each point is moved by `share` x t x the ego's
velocity: share 0 where the recording is compensated, 1 where it is not. As time follows from azimuth, a turn the other
way has share -1. Solved together with a small correction of each sweep's pose, by point-to-plane residuals on steep
surfaces (the road tells nothing of a motion along it), robust against what moves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from densegt.datasets.scene import Points, Sweep
from densegt.geometry import se3

Float64 = NDArray[np.float64]

RANGE_M = (3.0, 50.0)
POINTS, QUERIES, NEIGHBOURS = 12_000, 1_200, 12
STEEP = 0.5
SCALES_M = (0.3, 0.15, 0.08, 0.06)
SIGMA_POSE = (0.1, 0.1, np.deg2rad(0.3))
SIGMA_PLANE_M = 0.1
SECTORS, MIN_SECTORS = 12, 5
MIN_MATCHES = 1000


@dataclass(frozen=True)
class SweepAgreement:
    """The share of the motion within a turn that points still bear.

    Attributes:
        share: 0 compensated, 1 not, at the times that were given; -1 not, and the times run the other way.
        sigma: its standard error, from leaving out parts of the surroundings.
        misfit_m: mean distance of matched points from each other's planes, none counted beyond 0.2 m.
    """

    share: float
    sigma: float
    misfit_m: float


@dataclass(frozen=True)
class Surface:
    """Points (N) of steep planes seen in one sweep.

    Attributes:
        rows: (N,) into the sweep's points.
        xyz, normal: (N,3), by the recorded pose, in global minus an origin.
        velocity: (N,3) m/s of each point as the ego carries it along, in the same frame.
        sector: (N,), of azimuth.
        centre: (3,), where the lidar was.
    """

    rows: NDArray[np.intp]
    xyz: Float64
    normal: Float64
    velocity: Float64
    sector: NDArray[np.int64]
    centre: Float64


@dataclass(frozen=True)
class _Moving:
    """A surface and how far (N,3) m the ego's motion moves each point by its time."""

    surface: Surface
    drift: Float64

    def placed(self, share: float, correction: Float64) -> Float64:
        arm = self.surface.xyz + share * self.drift - self.surface.centre
        c, s = np.cos(correction[2]), np.sin(correction[2])
        turned = np.stack([c * arm[:, 0] - s * arm[:, 1], s * arm[:, 0] + c * arm[:, 1], arm[:, 2]], axis=1)
        turned[:, :2] += correction[:2]
        placed: Float64 = turned + self.surface.centre
        return placed


@dataclass(frozen=True)
class _Match:
    """Points of one sweep on planes of another: r + J x = 0, x = pose of a, pose of b, share."""

    a: int
    b: int
    r: Float64
    J: Float64
    block: NDArray[np.int64]


def twist_at(sweeps: Sequence[Sweep], index: int) -> tuple[Float64, Float64]:
    """Velocity (3,) m/s and rate of turn (3,) rad/s of the ego at a sweep's stamp, in its own frame."""
    from scipy.spatial.transform import Rotation

    before, after = max(index - 1, 0), min(index + 1, len(sweeps) - 1)
    seconds = (sweeps[after].timestamp_us - sweeps[before].timestamp_us) * 1e-6
    if seconds < 1e-3:
        return np.zeros(3), np.zeros(3)
    here = se3.inverse(sweeps[index].T_global_ego)
    a, b = here @ sweeps[before].T_global_ego, here @ sweeps[after].T_global_ego
    return (b[:3, 3] - a[:3, 3]) / seconds, Rotation.from_matrix(b[:3, :3] @ a[:3, :3].T).as_rotvec() / seconds


def steep_surfaces(sweeps: Sequence[Sweep], groups: Sequence[Sequence[int]], points: Sequence[Points]) -> list[Surface]:
    """Of each of the groups' sweeps, one group after the other.

    Args:
        groups: indices into sweeps, as `choose_sweeps` gives them.
        points: of those sweeps, in that order.
    """
    origin = sweeps[groups[0][0]].T_global_ego[:3, 3]
    flat = [i for group in groups for i in group]
    return [_surface(p, sweeps[i], twist_at(sweeps, i), origin) for i, p in zip(flat, points, strict=True)]


def sweep_agreement(
    surfaces: Sequence[Surface], groups: Sequence[Sequence[int]], times_s: Sequence[Float64]
) -> SweepAgreement | None:
    """What the sweeps of each group say together; None where they show too few surfaces in common.

    Args:
        times_s: of all points of each sweep, relative to the middle of the turn.
    """
    drifts = [t[surface.rows, None] * surface.velocity for t, surface in zip(times_s, surfaces, strict=True)]
    moving = [_Moving(surface, drift) for surface, drift in zip(surfaces, drifts, strict=True)]
    pairs, first = [], 0
    for group in groups:
        members = range(first, first + len(group))
        pairs += [(a, b) for a in members for b in members if a < b and min(len(surfaces[k].xyz) for k in (a, b))]
        first += len(group)
    solved = _solve(moving, pairs) if pairs else None
    return None if solved is None else SweepAgreement(*solved)


def _surface(points: Points, sweep: Sweep, twist: tuple[Float64, Float64], origin: Float64) -> Surface:
    from scipy.spatial import cKDTree

    range_m = np.linalg.norm(points.xyz_lidar, axis=1)
    near = np.flatnonzero((range_m > RANGE_M[0]) & (range_m < RANGE_M[1]))
    rng = np.random.default_rng(0)
    if len(near) > POINTS:
        # The farther the likelier: a spinning lidar sees mostly what is near, and most of that is road.
        race = rng.standard_exponential(len(near)) / range_m[near]
        near = near[np.argpartition(race, POINTS)[:POINTS]]
    xyz_ego = se3.apply(sweep.T_ego_lidar, points.xyz_lidar[near])
    if len(near) < NEIGHBOURS:
        none = np.zeros((0, 3))
        return Surface(np.zeros(0, dtype=np.intp), none, none, none, np.zeros(0, dtype=np.int64), np.zeros(3))
    _, rows = cKDTree(xyz_ego).query(xyz_ego, k=NEIGHBOURS)
    off = xyz_ego[rows] - xyz_ego[rows].mean(axis=1, keepdims=True)
    values, vectors = np.linalg.eigh(np.einsum("nki,nkj->nij", off, off) / NEIGHBOURS)
    normal = vectors[:, :, 0]
    size = np.sqrt(np.maximum(values, 0))
    steep = np.abs(normal @ sweep.T_global_ego[2, :3]) < STEEP
    keep = np.flatnonzero(steep & (size[:, 0] < 0.06) & (size[:, 0] < 0.25 * size[:, 1]) & (size[:, 2] < 1.5))
    x = xyz_ego[keep]
    velocity, turn = twist
    R = sweep.T_global_ego[:3, :3]
    seen = x - sweep.T_ego_lidar[:3, 3]
    sector = ((np.arctan2(seen[:, 1], seen[:, 0]) / (2 * np.pi) + 0.5) * SECTORS).astype(np.int64) % SECTORS
    return Surface(
        rows=near[keep],
        xyz=x @ R.T + sweep.T_global_ego[:3, 3] - origin,
        normal=normal[keep] @ R.T,
        velocity=(velocity + np.cross(turn, x)) @ R.T,
        sector=sector,
        centre=sweep.T_global_lidar[:3, 3] - origin,
    )


def _solve(surfaces: list[_Moving], pairs: list[tuple[int, int]]) -> tuple[float, float, float] | None:
    """Share, standard error and misfit."""
    n = 3 * len(surfaces) + 1
    x = np.zeros(n)
    prior = np.r_[np.tile((SIGMA_PLANE_M / np.array(SIGMA_POSE)) ** 2, len(surfaces)), 1e-3]
    for scale_m in SCALES_M:
        matches = _match(surfaces, pairs, x, max(3 * scale_m, 0.3))
        if sum(len(m.r) for m in matches) < MIN_MATCHES:
            return None
        parts = _equations(matches, n, scale_m)
        H = sum(h for h, _ in parts.values()) + np.diag(prior)
        g = sum(v for _, v in parts.values()) + prior * np.r_[x[:-1], 0]
        x = x - np.linalg.solve(H, g)
        x[-1] = np.clip(x[-1], -1.5, 1.5)
    left_out = [np.linalg.solve(H - h, g - v)[-1] for h, v in parts.values()]
    B = len(left_out)
    if B < MIN_SECTORS:
        return None
    sigma = float(np.sqrt((B - 1) / B * np.sum((left_out - np.mean(left_out)) ** 2)))
    r = np.abs(np.concatenate([m.r for m in _match(surfaces, pairs, x, 0.5)]))
    return float(x[-1]), sigma, float(np.minimum(r, 0.2).mean())


def _match(surfaces: list[_Moving], pairs: list[tuple[int, int]], x: Float64, reach_m: float) -> list[_Match]:
    from scipy.spatial import cKDTree

    corrections = x[:-1].reshape(-1, 3)
    placed = [s.placed(x[-1], c) for s, c in zip(surfaces, corrections, strict=True)]
    trees = [cKDTree(p) for p in placed]
    rng = np.random.default_rng(1)
    draws = [rng.permutation(len(p))[:QUERIES] for p in placed]
    matches = []
    for a, b in pairs:
        rows = draws[a]
        distance, to = trees[b].query(placed[a][rows], distance_upper_bound=reach_m + 0.3)
        there = np.isfinite(distance)
        rows, to = rows[there], to[there]
        alike = np.abs(np.einsum("ni,ni->n", surfaces[a].surface.normal[rows], surfaces[b].surface.normal[to])) > 0.8
        rows, to = rows[alike], to[alike]
        normal = surfaces[b].surface.normal[to]
        r = np.einsum("ni,ni->n", normal, placed[a][rows] - placed[b][to])
        close = np.abs(r) < reach_m
        rows, to, normal, r = rows[close], to[close], normal[close], r[close]
        J = np.empty((len(r), 7))
        for at, sign, s, p, which in ((0, 1, surfaces[a], placed[a], rows), (3, -1, surfaces[b], placed[b], to)):
            arm = p[which] - s.surface.centre
            J[:, at : at + 2] = sign * normal[:, :2]
            J[:, at + 2] = sign * (normal[:, 1] * arm[:, 0] - normal[:, 0] * arm[:, 1])
        J[:, 6] = np.einsum("ni,ni->n", normal, surfaces[a].drift[rows] - surfaces[b].drift[to])
        matches.append(_Match(a, b, r, J, surfaces[a].surface.sector[rows]))
    return matches


def _equations(matches: list[_Match], n: int, scale_m: float) -> dict[int, tuple[Float64, Float64]]:
    """Normal equations by part of the surroundings (group of four sweeps, sector of azimuth)."""
    parts: dict[int, tuple[Float64, Float64]] = {}
    for m in matches:
        w = 1 / (1 + (m.r / scale_m) ** 2) ** 2
        unknowns = np.r_[3 * m.a + np.arange(3), 3 * m.b + np.arange(3), n - 1]
        for sector in np.unique(m.block):
            mine = m.block == sector
            key = int(sector)
            H, g = parts.setdefault(key, (np.zeros((n, n)), np.zeros(n)))
            weighted = m.J[mine] * w[mine, None]
            H[np.ix_(unknowns, unknowns)] += weighted.T @ m.J[mine]
            g[unknowns] += weighted.T @ m.r[mine]
    return parts
