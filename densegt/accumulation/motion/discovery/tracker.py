"""Tracking of one cluster forwards and backwards in time: each sweep is registered to the object's growing model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from densegt.accumulation.motion.discovery.candidates import Candidates
from densegt.accumulation.motion.discovery.free_space_check import StaticWorld
from densegt.kernels.register_planar import VoxelModel, add_to_model, near_model, register_planar

Float64 = NDArray[np.float64]

CELL_M = 0.2
SPAN_M, HEIGHT_M = 36.0, 5.2
MEMORY_S = 0.45
MOST_POINTS = 160
BACK = (2, 5, 10)
# Several lidars may see an object at the same time.
MIN_STEP_S = 0.02


@dataclass(frozen=True)
class TrackedObject:
    """A tracked object.

    Attributes:
        members: rows of the candidates.
        time_s: (P,) increasing; pose: (P,3) x, y, yaw at those times.
    """

    members: NDArray[np.intp]
    time_s: Float64
    pose: Float64


def earlier(poses: dict[int, Float64], sweep: int, direction: int, world: StaticWorld) -> list[tuple[int, Float64]]:
    """The poses some turns of the same lidar back, as far as they are known."""
    here = np.array([sweep])
    back = [int(world.moments.turns_away(here, -direction * step)[0]) for step in BACK]
    return [(k, poses[k]) for k in back if k in poses]


def seen_through(q: Float64, poses: list[tuple[int, Float64]], world: StaticWorld) -> NDArray[np.bool_]:
    """Which points (N,3) of an object's frame lie in free space where the object was at other times."""
    out = np.zeros(len(q), dtype=np.bool_)
    for sweep, pose in poses:
        if len(q):
            at = np.broadcast_to(pose, (len(q), 3))
            out |= world.votes_at(q, at, np.full(len(q), sweep, dtype=np.int32))[0]
    return out


class Model:
    """The object's points in its own frame, averaged in cells."""

    def __init__(self) -> None:
        cells = int(SPAN_M / CELL_M)
        slot = np.full((cells, cells, int(HEIGHT_M / (2 * CELL_M))), -1, dtype=np.int32)
        self.voxels = VoxelModel(slot, np.zeros((20000, 3)), np.zeros((20000, 3)), np.zeros(20000, dtype=np.int64))
        self.size = 0
        self.radius_m = 0.0

    def add(self, p: Float64, normal: Float64) -> None:
        """Points and normals (N,3) in the object's frame."""
        self.size = add_to_model(p, normal, self.voxels, self.size, CELL_M, 40)
        if len(p):
            self.radius_m = max(self.radius_m, float(np.linalg.norm(p[:, :2], axis=1).max()))

    def near(self, p: Float64, reach_m: float) -> NDArray[np.bool_]:
        """Which points (N,3) have the model within reach, seen from above."""
        out = np.empty(len(p), dtype=np.bool_)
        near_model(p, self.voxels, CELL_M, reach_m, out)
        return out


def track_object(
    candidates: Candidates,
    free: NDArray[np.bool_],
    seed: NDArray[np.intp],
    velocity: Float64,
    world: StaticWorld,
    *,
    patience_s: float,
) -> TrackedObject:
    """A cluster tracked through all sweeps, as long as it is seen again within `patience_s`.

    Args:
        free: (M,), candidates not yet assigned.
        seed: rows of the cluster; velocity: (2,) m/s, the initial one.
    """
    model, sweep = Model(), int(candidates.sweep[seed[0]])
    at_s = float(candidates.time_s[seed].mean())
    start = np.array([*candidates.xyz[seed, :2].mean(axis=0), 0.0])
    path, lidar = [(at_s, start)], world.moments.lidar
    poses = {sweep: start}
    members = [seed]
    p, normal = at_time(candidates, seed, at_s, velocity)
    model.add(*into(p, normal, start))
    for direction in (1, -1):
        path.sort(key=lambda known: known[0])
        latest = k = sweep
        while 0 <= (k := k + direction) < len(candidates.first) - 1:
            end_s, end = path[-1] if direction > 0 else path[0]
            since_s = world.middle_s[k] - world.middle_s[latest]
            if abs(since_s) > patience_s:
                break
            speed = velocity_of(path, end_s, velocity)
            rows = slice(int(candidates.first[k]), int(candidates.first[k + 1]))
            rough_s = end_s + since_s
            rough = end + speed * (rough_s - end_s)
            within_m = model.radius_m + 1.0
            if lidar[k] != lidar[latest]:
                # Another lidar's beam may pass up to a turn earlier or later.
                within_m += float(np.abs(speed[:2]).max() * world.images.clock[lidar[k], 3])
            close = np.abs(candidates.xyz[rows, :2] - rough[:2]).max(axis=1) <= within_m
            near = rows.start + np.flatnonzero(close & free[rows])
            if len(near) < 2:
                continue
            mean_s = float(candidates.time_s[near].mean())
            guess = end + speed * (mean_s - end_s)
            few = near[:: max(1, len(near) // MOST_POINTS)]
            young = len(path) < 6
            reach_m = min((0.7 if young else 0.5) + 0.5 * max(abs(since_s) - 0.1, 0.0), 1.0)
            sigma = np.array([0.25, 0.25, 0.03]) if young else np.array([0.15, 0.15, 0.02])
            sigma = sigma * (max(abs(since_s), MIN_STEP_S) / 0.05)
            if model.radius_m < 0.9:
                sigma[2] = 1e-3
            p, normal = at_time(candidates, few, mean_s, speed)
            pose, matched = register_planar(p, normal, model.voxels, CELL_M, reach_m, sigma**-2, guess, 8)
            if matched < 2:
                continue
            p, normal = at_time(candidates, near, mean_s, speed)
            q, turned = into(p, normal, pose)
            hit = model.near(q, 0.5)
            fresh = np.flatnonzero(hit)[~model.near(q[hit], 0.25)]
            hit[fresh] = ~seen_through(q[fresh], earlier(poses, k, direction, world), world)
            if hit.sum() < 2:
                continue
            model.add(q[hit], turned[hit])
            members.append(near[hit])
            poses[k] = pose
            path.append((mean_s, pose)) if direction > 0 else path.insert(0, (mean_s, pose))
            latest = k
    path.sort(key=lambda known: known[0])
    times, poses = zip(*path, strict=True)
    return TrackedObject(np.concatenate(members), np.array(times), np.array(poses))


def velocity_of(path: list[tuple[float, Float64]], end_s: float, first: Float64) -> Float64:
    """(x, y, yaw) per second (3,) near one end of the path, from the poses within `MEMORY_S`."""
    near = [(t, pose) for t, pose in path if abs(t - end_s) <= MEMORY_S]
    t = np.array([t for t, _ in near]) - end_s
    pose = np.array([pose for _, pose in near])
    # The first guess counts as much as a base of 0.15 s.
    spread = float(((t - t.mean()) ** 2).sum())
    slope = ((t - t.mean())[:, None] * pose).sum(axis=0)
    return np.asarray((slope + 0.01 * np.array([*first, 0.0])) / (spread + 0.01))


def at_time(candidates: Candidates, rows: NDArray[np.intp], at_s: float, velocity: Float64) -> tuple[Float64, Float64]:
    """Points (N,3) as if all were measured at one time, and their normals."""
    p = candidates.xyz[rows].astype(np.float64)
    p[:, :2] += (at_s - candidates.time_s[rows, None].astype(np.float64)) * velocity[:2]
    return p, candidates.normal[rows].astype(np.float64)


def into(p: Float64, normal: Float64, pose: Float64) -> tuple[Float64, Float64]:
    """Points and normals (N,3) in the frame of an object at `pose`."""
    c, s = np.cos(pose[2]), np.sin(pose[2])
    R = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1.0]])
    return (p - [pose[0], pose[1], 0.0]) @ R, normal @ R
