"""Free space without labels: what another sweep's beams passed through was not there for good."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from densegt.accumulate.config import FreeSpaceConfig
from densegt.accumulate.surfels import Surfels
from densegt.accumulate.timing import EgoPath
from densegt.datasets.scene import Scene
from densegt.kernels.free_space import fill_range_image, free_space_votes
from densegt.kernels.free_space_violations import free_space_violations, free_space_violations_now

Float32 = NDArray[np.float32]


@dataclass(frozen=True)
class RangeImages:
    """Every sweep of a scene as an image of ranges, as the beams saw it from the moving lidar.

    Attributes:
        ranges_m: (S,R,C) float32, 0 = no return; rings from the lowest up.
        ring_elevation: (R,) float32 rad, increasing.
        origin, velocity: (S,3) the lidar at the stamp in global minus the scene's origin, and its m/s.
        R_lidar_global: (S,3,3).
        clock: (4,), see `densegt.kernels.beam`.
        read: (S,), sweeps that were taken in.
    """

    ranges_m: Float32
    ring_elevation: Float32
    origin: Float32
    velocity: Float32
    R_lidar_global: Float32
    clock: Float32
    read: NDArray[np.bool_]


class RangeImageBuilder:
    """Collects the sweeps of a scene one by one."""

    def __init__(self, scene: Scene, path: EgoPath, origin_global_m: NDArray[np.float64], columns: int) -> None:
        sweeps = scene.sweeps
        spin = sweeps[0].lidar_model
        stamps = np.array([s.timestamp_us for s in sweeps], dtype=np.float64)
        half_us = spin.period_s * 0.5e6
        arm = sweeps[0].T_ego_lidar[:3, 3]
        before, after = (path.poses_at(stamps + d) for d in (-half_us, half_us))
        place = [T[:, :3, :3] @ arm + T[:, :3, 3] for T in (before, after)]
        x_axis = sweeps[0].T_ego_lidar[:3, 0]
        yaw = np.arctan2(x_axis[1], x_axis[0])
        self._spin = spin
        self._columns = columns
        self._origin = np.array([s.T_global_lidar[:3, 3] - origin_global_m for s in sweeps], dtype=np.float32)
        self._velocity = ((place[1] - place[0]) / spin.period_s).astype(np.float32)
        self._R = np.array([s.T_global_lidar[:3, :3].T for s in sweeps], dtype=np.float32)
        self._clock = np.array(
            [-1.0 if spin.clockwise else 1.0, spin.seam_rad - yaw, spin.stamp_fraction, spin.period_s], dtype=np.float32
        )
        self._parts: dict[int, tuple[NDArray[np.uint16], Float32, Float32, Float32]] = {}

    def add(self, index: int, xyz: Float32, ring: NDArray[np.uint16], time_s: NDArray[np.float64]) -> None:
        """One sweep's points (N,3) in global minus origin, their rings and times relative to the stamp."""
        seen_from = self._origin[index] + self._velocity[index] * time_s[:, None].astype(np.float32)
        beam = (xyz - seen_from) @ self._R[index].T
        azimuth = np.arctan2(beam[:, 1], beam[:, 0])
        elevation = np.arctan2(beam[:, 2], np.hypot(beam[:, 0], beam[:, 1]))
        self._parts[index] = (ring, azimuth, elevation, np.linalg.norm(beam, axis=1).astype(np.float32))

    @property
    def has_points(self) -> bool:
        """Whether any sweep with points was added."""
        return bool(self._parts)

    def build(self) -> RangeImages:
        """All sweeps together; ring elevations are medians over the first sweep that has every ring."""
        best = max(self._parts.values(), key=lambda p: len(np.unique(p[0])))
        present = np.unique(best[0])
        height = np.array([np.median(best[2][best[0] == r]) for r in present], dtype=np.float32)
        order = np.argsort(height, kind="stable")
        row_of = np.full(max(int(ring.max()) for ring, *_ in self._parts.values()) + 1, -1, dtype=np.int64)
        row_of[present[order]] = np.arange(len(order))
        images = np.zeros((len(self._origin), len(order), self._columns), dtype=np.float32)
        for index, (ring, azimuth, _, range_m) in self._parts.items():
            row = row_of[ring]
            known = row >= 0
            fill_range_image(row[known], azimuth[known], range_m[known], images[index])
        read = np.isin(np.arange(len(images)), list(self._parts))
        return RangeImages(images, height[order], self._origin, self._velocity, self._R, self._clock, read)


def votes(
    images: RangeImages, xyz: Float32, sweep: NDArray[np.int32], offsets: Sequence[int], config: FreeSpaceConfig
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """For places (N,3) measured by sweeps (N,): how many other sweeps' beams passed through them, and how many met."""
    passed, met = np.empty(len(xyz), dtype=np.uint8), np.empty(len(xyz), dtype=np.uint8)
    free_space_votes(
        np.ascontiguousarray(xyz),
        sweep,
        np.array(offsets, dtype=np.int64),
        images.ranges_m,
        images.ring_elevation,
        images.origin,
        images.velocity,
        images.R_lidar_global,
        images.clock,
        config.margin_m,
        config.margin_relative,
        passed,
        met,
    )
    return passed, met


def violates_free_space_now(
    images: RangeImages,
    surfels: Surfels,
    rows: NDArray[np.int32],
    asked: Sequence[int],
    config: FreeSpaceConfig,
) -> NDArray[np.bool_]:
    """Which surfels (M,) named by `rows` the sweeps `asked`, those about an exposure, tell are not there, or unseen.

    Gone is what most of them looked through. Behind glass is what none of them got any answer from, though they look
    there: what answered once from some range would answer again from about as far, and all things do within
    `max_answer_m`.
    """
    passed, silent = np.empty(len(rows), dtype=np.uint8), np.empty(len(rows), dtype=np.bool_)
    free_space_violations_now(
        surfels.xyz,
        surfels.sweep,
        rows,
        np.array(asked, dtype=np.int64),
        images.ranges_m,
        images.ring_elevation,
        images.origin,
        images.velocity,
        images.R_lidar_global,
        images.clock,
        config.margin_m,
        config.margin_relative,
        config.max_answer_m,
        float(np.deg2rad(config.min_elevation_deg)),
        passed,
        silent,
    )
    maybe = np.flatnonzero(passed >= min(config.min_passed, len(asked)))
    xyz = surfels.xyz[rows[maybe]]
    passed_now, met = votes(images, xyz, np.zeros(len(xyz), dtype=np.int32), asked, config)
    silent[maybe] |= passed_now > met
    return silent


def beam_time(images: RangeImages, sweep: int, xyz: NDArray[np.float64]) -> float:
    """When a sweep's beam passes over a place (3,), s relative to the stamp."""
    x, y, _ = images.R_lidar_global[sweep] @ (xyz - images.origin[sweep])
    sign, seam, stamp_fraction, period_s = images.clock
    turns = float(sign * (np.arctan2(y, x) - seam) / (2 * np.pi))
    return float((turns % 1.0 - stamp_fraction) * period_s)


def _both_ways(steps: Sequence[int]) -> list[int]:
    return [sign * step for step in steps for sign in (1, -1)]


def find_transient(
    images: RangeImages, xyz: Float32, sweep: NDArray[np.int32], config: FreeSpaceConfig
) -> NDArray[np.bool_]:
    """Which standing places (N,3), each measured by a sweep (N,), sorted, lie where other sweeps saw nothing."""
    offsets = _both_ways(config.sweeps)
    passed = np.empty(len(xyz), dtype=np.uint8)
    free_space_violations(
        xyz,
        sweep,
        np.array(offsets, dtype=np.int64),
        images.ranges_m,
        images.ring_elevation,
        images.origin,
        images.velocity,
        images.R_lidar_global,
        images.clock,
        config.margin_m,
        config.margin_relative,
        passed,
    )
    # Few are passed often enough; only these are asked how often they were met.
    rows = np.flatnonzero(passed >= config.min_passed)
    through, met = votes(images, xyz[rows], sweep[rows], offsets, config)
    out = np.zeros(len(xyz), dtype=np.bool_)
    out[rows] = (through >= config.min_passed) & (through > config.passed_share * (through.astype(np.int64) + met))
    return out
