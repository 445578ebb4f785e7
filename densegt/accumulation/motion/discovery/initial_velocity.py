"""A cluster's initial velocity: the one that carries it onto points of neighbouring sweeps."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from densegt.accumulation.motion.discovery.candidates import Candidates
from densegt.accumulation.motion.discovery.free_space_check import StaticWorld
from densegt.kernels.velocity_votes import velocity_votes

STEP_MPS = 1.0
REACH_M = 0.35
MAX_POINTS = 24
MOST_ASKED = 80
ASKED_S = (-0.6, -0.3, 0.3, 0.6)


def initial_velocity(
    candidates: Candidates, free: NDArray[np.bool_], members: NDArray[np.intp], *, window_s: float, max_speed_mps: float
) -> tuple[NDArray[np.float64], float]:
    """Velocity (2,) m/s of a cluster, and its score; of several equal ones the mean.

    The score is the share of the cluster that lands on points of another sweep, averaged over the sweeps in the window.

    Args:
        free: (M,), candidates not yet assigned.
        members: rows of the cluster.
        window_s: sweeps this far before and after are asked.
    """
    middle = candidates.xyz[members, :2].mean(axis=0)
    few = members[:: max(1, len(members) // MAX_POINTS)]
    parts = _about(candidates, free, members, window_s, max_speed_mps)
    if not parts:
        return np.zeros(2), 0.0
    cells = 2 * int(np.ceil(max_speed_mps / STEP_MPS)) + 1
    votes = _votes(candidates, few, middle, parts, np.zeros(2), cells)
    total = votes.sum(axis=0)
    best = total.max()
    x, y = np.nonzero(total >= best - 1e-9 - 0.02 * len(parts))
    velocity = (np.array([x.mean(), y.mean()]) - cells // 2) * STEP_MPS
    return velocity, float(best / len(parts))


def _about(
    candidates: Candidates,
    free: NDArray[np.bool_],
    members: NDArray[np.intp],
    window_s: float,
    max_speed_mps: float,
) -> list[NDArray[np.intp]]:
    """Rows near the cluster in each sweep within the window but its own."""
    xy, sweep = candidates.xyz[:, :2], int(candidates.sweep[members[0]])
    middle, time_s = xy[members].mean(axis=0), float(candidates.time_s[members].mean())
    radius = float(np.abs(xy[members] - middle).max()) + max_speed_mps * window_s + REACH_M
    parts = []
    for step in (-1, 1):
        k = sweep + step
        while 0 <= k < len(candidates.first) - 1:
            rows = np.arange(candidates.first[k], candidates.first[k + 1])
            if len(rows) and abs(float(candidates.time_s[rows[0]]) - time_s) > window_s:
                break
            rows = rows[free[rows] & (np.abs(xy[rows] - middle) <= radius).all(axis=1)]
            if len(rows):
                parts.append(rows)
            k += step
    return parts


def _votes(
    candidates: Candidates,
    few: NDArray[np.intp],
    middle: NDArray[np.float32],
    parts: list[NDArray[np.intp]],
    velocity: NDArray[np.float64],
    cells: int,
) -> NDArray[np.float64]:
    """Shares (K,G,G) of a cluster's points that land on each of the sweeps, at velocities about one."""
    other = np.concatenate(parts) if parts else np.zeros(0, dtype=np.intp)
    time_s = float(candidates.time_s[few].mean())
    since_s = candidates.time_s[other, None] - np.float32(time_s)
    xy = candidates.xyz[other, :2] - middle - since_s * velocity.astype(np.float32)
    first = np.cumsum([0, *map(len, parts)])
    votes = np.empty((len(parts), cells, cells))
    velocity_votes(candidates.xyz[few, :2] - middle, xy, since_s.ravel(), first, STEP_MPS, REACH_M, 0.1, votes)
    return votes


def consistent_share(
    candidates: Candidates, members: NDArray[np.intp], velocity: NDArray[np.float64], world: StaticWorld
) -> float:
    """Share of a cluster that its velocity carries into no free space of some other turns of its lidar."""
    few = members[:: max(1, len(members) // MOST_ASKED)]
    sweep, time_s = int(candidates.sweep[members[0]]), float(candidates.time_s[few].mean())
    q = candidates.xyz[few].astype(np.float64)
    q[:, :2] += (time_s - candidates.time_s[few, None]) * velocity
    through = np.zeros(len(few), dtype=np.bool_)
    lidar = world.moments.lidar
    since_s = np.where(lidar == lidar[sweep], world.middle_s - world.middle_s[sweep], np.inf)
    for k in {int(np.abs(since_s - away_s).argmin()) for away_s in ASKED_S} - {sweep}:
        pose = np.broadcast_to([*(velocity * since_s[k]), 0.0], (len(few), 3))
        through |= world.votes_at(q, pose, np.full(len(few), k, dtype=np.int32))[0]
    return 1.0 - float(through.mean())
