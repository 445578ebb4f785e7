"""The line from points that other sweeps refute to tracks of what moves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from densegt.accumulate.config import AccumulateConfig, DiscoverConfig, TracksConfig
from densegt.accumulate.measurements import Measurements
from densegt.accumulate.motion.discovery.bounding_box import extent, make_track
from densegt.accumulate.motion.discovery.candidates import Candidates, find_candidates
from densegt.accumulate.motion.discovery.free_space_check import StaticWorld, refuted
from densegt.accumulate.motion.discovery.ground_height import Ground
from densegt.accumulate.motion.discovery.initial_velocity import first_velocity, sound
from densegt.accumulate.motion.discovery.motion_refinement import TURNING_RADIUS_M, refine, smooth_motion, thinned
from densegt.accumulate.motion.discovery.planar_motion import PlanarMotion
from densegt.accumulate.motion.discovery.tracker import track_object
from densegt.accumulate.motion.points_in_boxes import STATIC, SampledMotion, assign_to_boxes
from densegt.accumulate.motion.tracks import ContinuousTrack
from densegt.accumulate.surfels import Surfels

# Fewer points explained than this, and the motion is fitted anew without the others.
MOSTLY = 0.98

Rows = NDArray[np.intp]
Bool = NDArray[np.bool_]


@dataclass(frozen=True)
class DetectedMovers:
    """Something that moves: its points among the candidates, its motion, and whether it can be seen to turn."""

    members: Rows
    motion: PlanarMotion
    turning: bool


@dataclass(frozen=True)
class Discovery:
    """What was found: tracks of boxes, the motion of each, and what those motions can be tried on."""

    tracks: list[ContinuousTrack]
    motions: list[PlanarMotion]
    world: StaticWorld

    def take(self, kept: list[int]) -> Discovery:
        """Some of what was found."""
        return Discovery([self.tracks[k] for k in kept], [self.motions[k] for k in kept], self.world)

    def refutes(self, k: int, surfels: Surfels) -> Bool:
        """Which surfels (N,) cannot be of the k-th: carried by its motion, they stand where others saw nothing."""
        xyz = surfels.xyz.copy()
        xyz[:, 2] -= self.world.ground.under(xyz[:, :2])
        return refuted(xyz, surfels.time_s, surfels.sweep, self.motions[k], self.world)


def find_movers(measured: Measurements, usable: Bool, passing: Bool, config: AccumulateConfig) -> Discovery:
    """Tracks of what moves rigidly.

    Args:
        usable: (N,), surfels that are nobody's yet.
        passing: (N,), those of them that other sweeps refute.
    """
    ask = config.discover
    ground = Ground.of(measured.surfels, ~passing, measured.images.origin)
    heights = {"min_height_m": ask.min_height_m, "max_height_m": ask.max_height_m, "max_range_m": ask.max_range_m}
    candidates = find_candidates(measured, passing, ground, **heights, link_m=ask.link_m)
    world = StaticWorld(measured.images, ground, config.free_space, measured.middle_s)
    found = follow_all(candidates, world, ask)
    tracks = [_boxed(k, one, candidates, measured, ground, ask) for k, one in enumerate(found)]
    # What an object hides from itself, or holds still, no sweep refutes. It is drawn in now that the motion is known.
    wider = TracksConfig(margin_m=ask.draw_in_m, ground_clearance_m=ask.min_height_m)
    owner = assign_to_boxes(measured, tracks, SampledMotion.of(tracks, measured), wider)
    owner[~usable] = STATIC
    whole = find_candidates(measured, owner >= 0, ground, **heights, link_m=0.0)
    found = [_drawn_in(one, whole, np.flatnonzero(owner[whole.rows] == k), world) for k, one in enumerate(found)]
    tracks = [_boxed(k, one, whole, measured, ground, ask) for k, one in enumerate(found)]
    return Discovery(tracks, [one.motion for one in found], world)


def _drawn_in(found: DetectedMovers, whole: Candidates, rows: Rows, world: StaticWorld) -> DetectedMovers:
    """An object with points from all over its box that its motion explains, and the motion that they tell together."""
    rows = thinned(whole, rows)
    members = rows[~_refuted(whole, rows, found.motion, world)]
    motion = refine(whole, members, found.motion, turning=found.turning)
    return DetectedMovers(rows[~_refuted(whole, rows, motion, world)], motion, found.turning)


def _boxed(
    number: int,
    found: DetectedMovers,
    candidates: Candidates,
    measured: Measurements,
    ground: Ground,
    ask: DiscoverConfig,
) -> ContinuousTrack:
    q, _ = found.motion.into(candidates.xyz[found.members], candidates.time_s[found.members])
    turned = found.motion.heading()
    low, high = extent(q, candidates.sweep[found.members], turned)
    return make_track(
        f"found-{number:04d}",
        found.motion,
        low,
        high,
        turned,
        ground,
        measured.origin_global_m,
        measured.start_us,
        ask.max_extrapolation_s,
    )


def follow_all(candidates: Candidates, world: StaticWorld, ask: DiscoverConfig) -> list[DetectedMovers]:
    """Follow the largest cluster that belongs to nothing yet, until only small ones are left.

    Clusters that their velocity does not explain are two things side by side, or none: they wait until what can be
    explained is taken.
    """
    free = np.ones(len(candidates.rows), dtype=np.bool_)
    by_cluster = np.argsort(candidates.cluster, kind="stable")
    start = np.searchsorted(candidates.cluster[by_cluster], np.arange(candidates.cluster.max(initial=-1) + 2))
    size = np.diff(start)
    waiting = [int(k) for k in np.argsort(-size, kind="stable") if size[k] >= ask.min_points]
    found = []
    for least in (ask.sound_share, 0.85 * ask.sound_share):
        unsound = []
        for k in waiting:
            members = by_cluster[start[k] : start[k + 1]]
            members = members[free[members]]
            if len(members) < max(ask.min_points, size[k] // 2):
                continue
            velocity, landed = first_velocity(
                candidates, free, members, window_s=ask.window_s, max_speed_mps=ask.max_speed_mps
            )
            if landed < ask.landed_share or sound(candidates, members, velocity, world) < least:
                unsound.append(k)
                continue
            one = _follow_one(candidates, free, members, velocity, world, ask)
            free[members] = False
            if one is not None:
                free[one.members] = False
                found.append(one)
        waiting = unsound
    return found


def _follow_one(
    candidates: Candidates,
    free: Bool,
    seed: Rows,
    velocity: NDArray[np.float64],
    world: StaticWorld,
    ask: DiscoverConfig,
) -> DetectedMovers | None:
    """An object followed from a cluster, with one smooth motion; None if that motion does not explain its points."""
    followed = track_object(candidates, free, seed, velocity, world, patience_s=ask.patience_s)
    if len(followed.time_s) < ask.min_sweeps:
        return None
    members = followed.members
    nearest = np.searchsorted(followed.time_s, candidates.time_s[members]).clip(0, len(followed.time_s) - 1)
    away = candidates.xyz[members, :2] - followed.pose[nearest, :2]
    turning = float(np.quantile(np.linalg.norm(away, axis=1), 0.95)) > TURNING_RADIUS_M
    motion = smooth_motion(followed.time_s, followed.pose, turning=turning)
    motion = refine(candidates, members, motion, turning=turning)
    explained = 1.0 - float(_refuted(candidates, thinned(candidates, members), motion, world).mean())
    if explained < MOSTLY:
        members = members[~_refuted(candidates, members, motion, world)]
        if len(np.unique(candidates.sweep[members])) < ask.min_sweeps:
            return None
        motion = refine(candidates, members, motion, turning=turning)
        members = members[~_refuted(candidates, members, motion, world)]
    if explained < ask.explained_share or not moves(motion, ask.moving_m):
        return None
    return DetectedMovers(members, motion, turning)


def _refuted(candidates: Candidates, rows: Rows, motion: PlanarMotion, world: StaticWorld) -> Bool:
    return refuted(candidates.xyz[rows], candidates.time_s[rows], candidates.sweep[rows], motion, world)


def moves(motion: PlanarMotion, moving_m: float) -> bool:
    """Whether it gets farther than this from where it is at some time."""
    xy = motion.at(np.linspace(motion.start_s, motion.end_s, 50))[:, :2]
    return float(np.linalg.norm(xy - np.median(xy, axis=0), axis=1).max()) > moving_m
