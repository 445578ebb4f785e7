"""Labels that densegt makes itself: what its tracks hold moves, what was met often and never looked through stands."""

from __future__ import annotations

import numpy as np

from densegt.accumulation.config import AccumulateConfig
from densegt.accumulation.measurements import measure_scene
from densegt.accumulation.motion.point_assignment import PointAssignment, assign_points
from densegt.accumulation.motion.points_in_boxes import STATIC
from densegt.accumulation.sweep_returns import MotionVotes, read_returns
from densegt.datasets.scene import Scene
from densegt.motion_net.classes import class_of_category
from densegt.motion_net.labels.point_labels import UNKNOWN, PointLabels, moving_by_speed
from densegt.motion_net.scans import FREE_SPACE_COLUMNS, SceneScans

# A static point was met by at least this share of the sweeps asked, and looked through by hardly one.
MET_SHARE, PASSED_SHARE = 0.5, 0.04


def automatic_labels(
    scene: Scene, scans: SceneScans, config: AccumulateConfig, votes: MotionVotes | None = None
) -> PointLabels:
    """Of any scene, without a label of it: tracks of free space alone, or in a second round with votes."""
    free = config.model_copy(update={"motion": "free", "refine_poses": False})
    measured = measure_scene(scene, read_returns(scene, free, votes), free)
    assignment = assign_points(measured, [], free)
    return labels_of_tracks(assignment, scans, config)


def labels_of_tracks(assignment: PointAssignment, scans: SceneScans, config: AccumulateConfig) -> PointLabels:
    """Moving by the tracks that hold points, static by free space, all else unknown.

    Args:
        assignment: of the same points in the same order.
    """
    out = PointLabels.nothing(len(scans.xyz), moving=UNKNOWN)
    free_space = scans.free_space(np.arange(len(scans.xyz)), config.free_space)
    passed = free_space[:, 0:FREE_SPACE_COLUMNS:2].max(axis=1) / 255
    met = free_space[:, 1:FREE_SPACE_COLUMNS:2].mean(axis=1) / 255
    still = (assignment.owner == STATIC) & ~assignment.transient & (passed <= PASSED_SHARE) & (met >= MET_SHARE)
    out.moving[still] = 0
    out.speed_mps[still] = 0
    for k, (track, _) in enumerate(assignment.movers):
        rows = np.flatnonzero(assignment.owner == k)
        at_us = scans.start_us + scans.time_s[rows].astype(np.float64) * 1e6
        xy, later = (track.poses_at(at_us + shift)[:, :2, 3] for shift in (0.0, 5e4))
        out.thing[rows] = k + 1
        out.speed_mps[rows] = np.linalg.norm(later - xy, axis=1) / 0.05
        out.moving[rows] = moving_by_speed(out.speed_mps[rows])
        out.kind[rows] = class_of_category(track.category)
        out.centre[rows] = xy - scans.origin_global_m[:2]
    return out
