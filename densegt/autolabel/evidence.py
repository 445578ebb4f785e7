"""What a scene's sweeps say of vehicles: points that stand, heights above the ground, free space, and what moves."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from densegt.accumulation.config import AccumulateConfig
from densegt.accumulation.measurements import Measurements, measure_scene
from densegt.accumulation.motion.discovery.ground_height import Ground
from densegt.accumulation.motion.free_space import votes_of_sweeps
from densegt.accumulation.motion.point_assignment import assign_points
from densegt.accumulation.motion.points_in_boxes import STATIC
from densegt.accumulation.motion.tracks import ContinuousTrack
from densegt.accumulation.poses.refinement import refine_poses
from densegt.accumulation.surfels import Surfels
from densegt.accumulation.sweep_returns import read_returns
from densegt.datasets.scene import Scene

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

# Sweeps that are asked about a place.
ASKED = 14


@dataclass(frozen=True)
class SceneEvidence:
    """A scene's points that stand (N) and what moves in it.

    Attributes:
        scene: its ego poses refined.
        xyh: (N,3) x, y m in global minus origin, z above the ground under it.
        range_m: (N,) from the lidar, seen from above.
        sweep: (N,) that measured it; row: (N,) of the measured surfels.
        movers: tracks found without labels, with their points in the track's box frame.
    """

    scene: Scene
    measured: Measurements
    ground: Ground
    xyh: Float32
    range_m: Float32
    sweep: NDArray[np.int32]
    row: NDArray[np.intp]
    movers: tuple[tuple[ContinuousTrack, Surfels], ...]

    def asked_about(self, xy: Float64) -> list[int]:
        """Sweeps that see a place (2,) m: the nearest ones, spread over the scene."""
        away = np.linalg.norm(self.measured.images.origin[:, :2] - xy, axis=1)
        read = np.flatnonzero(self.measured.images.read)
        near = read[away[read] <= max(25.0, float(away[read].min()) + 10.0)]
        return [int(k) for k in near[np.unique(np.linspace(0, len(near) - 1, ASKED).round().astype(int))]]

    def votes(self, xyh: Float64, asked: list[int]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """How many sweeps looked through places (N,3), heights above the ground, and how many met a surface there."""
        xyz = np.column_stack([xyh[:, :2], xyh[:, 2] + self.ground.under(xyh[:, :2])]).astype(np.float32)
        passed, met = votes_of_sweeps(self.measured.images, xyz, asked, self.config.free_space)
        return passed.astype(np.int64), met.astype(np.int64)

    @cached_property
    def _by_x(self) -> tuple[NDArray[np.intp], Float32]:
        order = np.argsort(self.xyh[:, 0], kind="stable")
        return order, self.xyh[order, 0]

    def near(self, xy: Float64, reach_m: float) -> NDArray[np.intp]:
        """Rows of points within a square about a place (2,) m."""
        order, x = self._by_x
        first, last = np.searchsorted(x, [xy[0] - reach_m, xy[0] + reach_m])
        rows = order[first:last]
        inside: NDArray[np.intp] = rows[np.abs(self.xyh[rows, 1] - xy[1]) < reach_m]
        return inside

    def range_of(self, xy: Float64) -> float:
        """Distance of a place (2,) m to the nearest of the lidar's positions, seen from above."""
        return float(np.linalg.norm(self.measured.images.origin[:, :2] - xy, axis=1).min())

    @property
    def config(self) -> AccumulateConfig:
        """That free space is judged by."""
        return AccumulateConfig()


def gather_evidence(scene: Scene, config: AccumulateConfig) -> SceneEvidence:
    """Read a scene, refine its poses, and separate what stands from what moves; no label is looked at.

    Raises:
        InputError: a sweep cannot be read, or none holds a usable return.
    """
    returns = read_returns(scene, config)
    scene = refine_poses(scene, returns, config)
    measured = measure_scene(scene, returns, config)
    assignment = assign_points(measured, [], config)
    standing = (assignment.owner == STATIC) & ~assignment.transient
    ground = Ground.of(measured.surfels, standing, measured.images.origin)
    rows = np.flatnonzero(standing & ~measured.mixed)
    xyh = measured.surfels.xyz[rows].copy()
    xyh[:, 2] -= ground.under(xyh[:, :2]).astype(np.float32)
    sweep = measured.surfels.sweep[rows]
    away = np.linalg.norm(xyh[:, :2] - measured.images.origin[sweep, :2], axis=1)
    return SceneEvidence(scene, measured, ground, xyh, away, sweep, rows, assignment.movers)
