"""From transient points to tracks of movers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from densegt.accumulation.config import AccumulateConfig, DiscoverConfig, TracksConfig
from densegt.accumulation.measurements import Measurements
from densegt.accumulation.motion.discovery.bounding_box import extent, make_track
from densegt.accumulation.motion.discovery.candidates import Candidates, find_candidates
from densegt.accumulation.motion.discovery.free_space_check import StaticWorld, in_free_space
from densegt.accumulation.motion.discovery.ground_height import Ground
from densegt.accumulation.motion.discovery.initial_velocity import consistent_share, initial_velocity
from densegt.accumulation.motion.discovery.motion_refinement import TURNING_RADIUS_M, refine, smooth_motion, subsampled
from densegt.accumulation.motion.discovery.planar_motion import PlanarMotion
from densegt.accumulation.motion.discovery.tracker import track_object
from densegt.accumulation.motion.points_in_boxes import STATIC, SampledMotion, assign_to_boxes
from densegt.accumulation.motion.tracks import ContinuousTrack
from densegt.accumulation.surfels import Surfels

# Fewer points explained than this, and the motion is fitted anew without the others.
MOSTLY = 0.98

Rows = NDArray[np.intp]
Bool = NDArray[np.bool_]


@dataclass(frozen=True)
class DetectedMover:
    """An object that moves: its points among the candidates, its motion, and whether its yaw can be seen."""

    members: Rows
    motion: PlanarMotion
    turning: bool


@dataclass(frozen=True)
class DetectedMovers:
    """Tracks of detected objects, the motion of each, and the free space that motions are checked against."""

    tracks: list[ContinuousTrack]
    motions: list[PlanarMotion]
    world: StaticWorld

    def take(self, kept: list[int]) -> DetectedMovers:
        """Some of them."""
        return DetectedMovers([self.tracks[k] for k in kept], [self.motions[k] for k in kept], self.world)

    def contradicts(self, k: int, surfels: Surfels) -> Bool:
        """Which surfels (N,) cannot belong to the k-th: its motion carries them into free space."""
        xyz = surfels.xyz.copy()
        xyz[:, 2] -= self.world.ground.under(xyz[:, :2])
        return in_free_space(xyz, surfels.time_s, surfels.sweep, self.motions[k], self.world)


def detect_movers(measured: Measurements, usable: Bool, transient: Bool, config: AccumulateConfig) -> DetectedMovers:
    """Tracks of rigid movers.

    Args:
        usable: (N,), surfels not yet assigned.
        transient: (N,), those of them that violate other sweeps' free space.
    """
    discover = config.discover
    ground = Ground.of(measured.surfels, ~transient, measured.images.origin)
    heights = {
        "min_height_m": discover.min_height_m,
        "max_height_m": discover.max_height_m,
        "max_range_m": discover.max_range_m,
    }
    candidates = find_candidates(measured, transient, ground, **heights, link_m=discover.link_m)
    world = StaticWorld(measured.images, measured.moments, ground, config.free_space, measured.middle_s)
    movers = track_all(candidates, world, discover)
    tracks = [_boxed(k, mover, candidates, measured, ground, discover) for k, mover in enumerate(movers)]
    # Parts that violate no free space are added now that the motion is known.
    wider = TracksConfig(margin_m=discover.draw_in_m, ground_clearance_m=discover.min_height_m)
    owner = assign_to_boxes(measured, tracks, SampledMotion.of(tracks, measured), wider)
    owner[~usable] = STATIC
    whole = find_candidates(measured, owner >= 0, ground, **heights, link_m=0.0)
    rows = [np.flatnonzero(owner[whole.rows] == k) for k in range(len(movers))]
    movers = [_extended(mover, whole, rows[k], world) for k, mover in enumerate(movers)]
    tracks = [_boxed(k, mover, whole, measured, ground, discover) for k, mover in enumerate(movers)]
    return DetectedMovers(tracks, [mover.motion for mover in movers], world)


def _extended(mover: DetectedMover, whole: Candidates, rows: Rows, world: StaticWorld) -> DetectedMover:
    """An object with all points of its box that its motion explains, and its motion refined by them."""
    rows = subsampled(whole, rows)
    members = rows[~_contradicted(whole, rows, mover.motion, world)]
    motion = refine(whole, members, mover.motion, turning=mover.turning)
    return DetectedMover(rows[~_contradicted(whole, rows, motion, world)], motion, mover.turning)


def _boxed(
    number: int,
    mover: DetectedMover,
    candidates: Candidates,
    measured: Measurements,
    ground: Ground,
    config: DiscoverConfig,
) -> ContinuousTrack:
    q, _ = mover.motion.into(candidates.xyz[mover.members], candidates.time_s[mover.members])
    box = extent(q, candidates.sweep[mover.members], mover.motion.heading())
    return make_track(
        f"found-{number:04d}",
        mover.motion,
        box,
        ground,
        measured.origin_global_m,
        measured.start_us,
        config.max_extrapolation_s,
    )


def track_all(candidates: Candidates, world: StaticWorld, config: DiscoverConfig) -> list[DetectedMover]:
    """Objects tracked from the largest cluster not yet assigned, until only small ones are left.

    A cluster that its velocity does not explain may be two objects side by side, or none: it is tried again once the
    others are assigned.
    """
    free = np.ones(len(candidates.rows), dtype=np.bool_)
    by_cluster = np.argsort(candidates.cluster, kind="stable")
    start = np.searchsorted(candidates.cluster[by_cluster], np.arange(candidates.cluster.max(initial=-1) + 2))
    size = np.diff(start)
    waiting = [int(k) for k in np.argsort(-size, kind="stable") if size[k] >= config.min_points]
    movers = []
    for least in (config.sound_share, 0.85 * config.sound_share):
        inconsistent = []
        for k in waiting:
            members = by_cluster[start[k] : start[k + 1]]
            members = members[free[members]]
            if len(members) < max(config.min_points, size[k] // 2):
                continue
            velocity, landed = initial_velocity(
                candidates, free, members, window_s=config.window_s, max_speed_mps=config.max_speed_mps
            )
            if landed < config.landed_share or consistent_share(candidates, members, velocity, world) < least:
                inconsistent.append(k)
                continue
            mover = _track_one(candidates, free, members, velocity, world, config)
            free[members] = False
            if mover is not None:
                free[mover.members] = False
                movers.append(mover)
        waiting = inconsistent
    return movers


def _track_one(
    candidates: Candidates,
    free: Bool,
    seed: Rows,
    velocity: NDArray[np.float64],
    world: StaticWorld,
    config: DiscoverConfig,
) -> DetectedMover | None:
    """An object tracked from a cluster, with one smooth motion; None if that motion does not explain its points."""
    tracked = track_object(candidates, free, seed, velocity, world, patience_s=config.patience_s)
    members = tracked.members
    if _moments(candidates, members, world) < config.min_sweeps:
        return None
    nearest = np.searchsorted(tracked.time_s, candidates.time_s[members]).clip(0, len(tracked.time_s) - 1)
    away = candidates.xyz[members, :2] - tracked.pose[nearest, :2]
    turning = float(np.quantile(np.linalg.norm(away, axis=1), 0.95)) > TURNING_RADIUS_M
    motion = smooth_motion(tracked.time_s, tracked.pose, turning=turning)
    motion = refine(candidates, members, motion, turning=turning)
    explained = 1.0 - float(_contradicted(candidates, subsampled(candidates, members), motion, world).mean())
    if explained < MOSTLY:
        members = members[~_contradicted(candidates, members, motion, world)]
        if _moments(candidates, members, world) < config.min_sweeps:
            return None
        motion = refine(candidates, members, motion, turning=turning)
        members = members[~_contradicted(candidates, members, motion, world)]
    if explained < config.explained_share or not moves(motion, config.moving_m):
        return None
    return DetectedMover(members, motion, turning)


def _contradicted(candidates: Candidates, rows: Rows, motion: PlanarMotion, world: StaticWorld) -> Bool:
    return in_free_space(candidates.xyz[rows], candidates.time_s[rows], candidates.sweep[rows], motion, world)


def _moments(candidates: Candidates, members: Rows, world: StaticWorld) -> int:
    """At how many moments an object's points were measured."""
    return len(np.unique(world.moments.moment[candidates.sweep[members]]))


def moves(motion: PlanarMotion, moving_m: float) -> bool:
    """Whether it gets farther than `moving_m` from its median position."""
    xy = motion.at(np.linspace(motion.start_s, motion.end_s, 50))[:, :2]
    return float(np.linalg.norm(xy - np.median(xy, axis=0), axis=1).max()) > moving_m
