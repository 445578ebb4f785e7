"""Surfels in a camera's frustum, in its frame; movers placed where they are at exposure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from densegt.accumulation.cloud import Cloud
from densegt.accumulation.config import AccumulateConfig, SurfelConfig
from densegt.accumulation.motion.free_space import beam_time, violates_free_space_now, votes_of_sweeps
from densegt.accumulation.motion.tracks import ContinuousTrack
from densegt.accumulation.render.projected_surfels import pinhole, project
from densegt.accumulation.render.ring_gap import max_gap_rad
from densegt.accumulation.surfels import Surfels
from densegt.datasets.scene import Camera
from densegt.geometry import se3
from densegt.kernels.confidence_features import SurfelAttributes
from densegt.kernels.frustum import move_surfels, select_blocks_in_frustum, select_in_frustum, viewing_geometry
from densegt.kernels.measurement import OfSurfel, OfSweep, measured_by
from densegt.kernels.subsample import subsample_points, subsample_surfels
from densegt.kernels.surfel import ProjectedSurfels

Float32 = NDArray[np.float32]
Bool = NDArray[np.bool_]

MARGIN_PX = 32.0
MIN_DEPTH_M = 0.3
# Farther than this the store holds no depth.
FARTHEST_M = 255.0
# A lidar this near to a camera, at about the same time, has the same line of sight.
BESIDE_M, BESIDE_S = 2.5, 0.5


@dataclass(frozen=True)
class VisibleSurfels:
    """Surfels in a camera's frustum, occluded ones included.

    Attributes:
        surfels: (N) in cam.
        attributes: (N), motion, age and viewing geometry.
        projected: the surfels as planes over the image, each cut to its reach.
        beside: (N), measured from about where the camera is, about when it exposed.
        gap_px: (N), ring gap of the lidar that measured it.
    """

    surfels: Surfels
    attributes: SurfelAttributes
    projected: ProjectedSurfels
    beside: Bool
    gap_px: Float32


@dataclass(frozen=True)
class Selection:
    """Some of the surfels of one frame.

    Attributes:
        surfels: in src; rows: (M,), those selected.
    """

    surfels: Surfels
    rows: NDArray[np.int32]
    T_cam_src: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.rows)


def select_visible(cloud: Cloud, camera: Camera, config: AccumulateConfig) -> VisibleSurfels:
    """Static surfels, transient ones of the exposure's time, and movers at exposure, all in cam."""
    exposure_s = (camera.timestamp_us - cloud.start_us) * 1e-6
    T_cam_global = se3.inverse(camera.T_global_cam)
    T_cam_origin = T_cam_global.copy()
    T_cam_origin[:3, 3] += T_cam_global[:3, :3] @ cloud.origin_global_m
    allowed = sweeps_in_window(cloud, camera, config.window_s)
    rows, probability = static_surfels(cloud, camera, T_cam_origin, exposure_s, allowed, config)
    static = Selection(cloud.static, rows, T_cam_origin)
    then = np.abs(cloud.transient.time_s - exposure_s) <= cloud.period_s / 2
    transient = in_frustum(cloud.transient.take(then), T_cam_origin, camera, allowed)
    movers = movers_in_frustum(cloud, camera, T_cam_global, exposure_s, allowed, config)
    surfels = in_camera_frame([static, transient, *movers])
    lidar_cam = se3.apply(T_cam_origin, cloud.images.origin)
    trust, incidence = np.empty(len(surfels), dtype=np.float32), np.empty(len(surfels), dtype=np.float32)
    seen = (surfels.xyz, surfels.tangents, surfels.sweep, lidar_cam.astype(np.float32))
    viewing_geometry(*seen, camera.K[0, 0], config.surfels.range_noise_m, trust, incidence)
    trust[len(static) :] = 1.0
    gap_rad = max_gap_rad(cloud.images.ring_elevation, config.surfels.max_gap_deg)
    lidar = cloud.images.lidar
    of_sweep = OfSweep(
        (gap_rad * camera.K[0, 0]).astype(np.float32)[lidar],
        static_reach_px(cloud, allowed, gap_rad, camera, config.surfels)[lidar],
        np.linalg.norm(lidar_cam, axis=1) <= BESIDE_M,
    )
    types = (np.float32, np.float32, np.float32, np.bool_, np.bool_, np.bool_)
    of = OfSurfel._make(np.empty(len(surfels), dtype) for dtype in types)
    counts = (len(static), len(transient))
    measured_by(surfels.sweep, surfels.time_s, of_sweep, exposure_s, BESIDE_S, *counts, of)
    share = np.ones(len(surfels), dtype=np.float32)
    share[: len(static)] = probability
    over = (config.surfels.layers, len(static))
    subsample_surfels(surfels.xyz, surfels.half_m, incidence, of.reach_px, pinhole(camera), *over, share)
    projected = project(surfels, trust, share, of.reach_px, camera)
    attributes = SurfelAttributes(of.moving, of.transient, trust, of.age_s, incidence)
    return VisibleSurfels(surfels, attributes, projected, of.beside, of.gap_px)


def static_reach_px(
    cloud: Cloud, allowed: Bool, gap_rad: NDArray[np.float64], camera: Camera, config: SurfelConfig
) -> Float32:
    """Greatest extent (L,) of static surfels in the image: half a ring gap (L,) for one sweep, less with more sweeps.

    Rings of a lidar at rest repeat the same lines, so each 0.2 m of travel counts as a sweep.
    """
    sweeps = 0.0
    for lidar in np.unique(cloud.moments.lidar[allowed]):
        places = cloud.images.origin[allowed & (cloud.moments.lidar == lidar)]
        sweeps += 1 + float(np.linalg.norm(np.diff(places, axis=0), axis=1).sum()) / 0.2
    reach_rad = np.maximum(config.max_reach_rad, gap_rad / 2 / np.sqrt(sweeps))
    reach_px: Float32 = np.maximum(reach_rad * camera.K[0, 0], 1.5).astype(np.float32)
    return reach_px


def sweeps_in_window(cloud: Cloud, camera: Camera, window_s: float | None) -> Bool:
    """Which sweeps (S,) may be used: those at most `window_s` from the keyframe's own, all for None."""
    if window_s is None:
        return np.ones(len(cloud.sweep_times_s), dtype=np.bool_)
    own = np.flatnonzero([token == camera.sample_token for token in cloud.sample_tokens])
    middle_s = cloud.sweep_times_s[own[0]] if len(own) else (camera.timestamp_us - cloud.start_us) * 1e-6
    within: Bool = np.abs(cloud.sweep_times_s - middle_s) <= window_s + 1e-3
    # Other lidars' sweeps of that moment may have other stamps.
    within[cloud.moments.with_other_lidars(own)] = True
    return within


def static_surfels(
    cloud: Cloud,
    camera: Camera,
    T_cam_origin: NDArray[np.float64],
    exposure_s: float,
    allowed: Bool,
    config: AccumulateConfig,
) -> tuple[NDArray[np.int32], Float32]:
    """Rows (M,) of static surfels in the frustum, and the probability (M,) with which each was kept.

    Those that violate the free space of the sweeps nearest in time are left out: parked cars that came or went, and
    what stands behind glass.
    """
    rows = np.empty(len(cloud.static), dtype=np.int32)
    reach = (MARGIN_PX, MIN_DEPTH_M, FARTHEST_M)
    source = (cloud.static.xyz, cloud.static_bounds)
    rows = rows[: select_blocks_in_frustum(*source, T_cam_origin, pinhole(camera), *reach, rows)]
    rows = rows if allowed.all() else rows[allowed[cloud.static.sweep[rows]]]
    rows, probability = subsample(cloud, rows, camera, T_cam_origin, exposure_s, config.surfels.crowd)
    sweeps = nearest_sweeps(cloud, exposure_s, config)
    if config.motion in ("none", "boxes") or len(sweeps) == 0:
        return rows, probability
    there = np.flatnonzero(
        ~violates_free_space_now(cloud.images, cloud.static, rows, sweeps.tolist(), config.free_space)
    )
    return rows.take(there), probability.take(there)


def subsample(
    cloud: Cloud,
    rows: NDArray[np.int32],
    camera: Camera,
    T_cam_origin: NDArray[np.float64],
    exposure_s: float,
    density: float,
) -> tuple[NDArray[np.int32], Float32]:
    """Some of the static surfels `rows` (N,), overwritten, and the probability with which each was kept.

    All measured at about the exposure are kept: they count returns behind the surface. See `subsample_points`.
    """
    exempt = np.abs(cloud.sweep_times_s - exposure_s) <= BESIDE_S + cloud.period_s
    probability = np.empty(len(rows), dtype=np.float32)
    points = (cloud.static.xyz, cloud.static.sweep)
    count = subsample_points(*points, exempt, T_cam_origin, pinhole(camera), density, rows, probability)
    return rows[:count], probability[:count]


def nearest_sweeps(cloud: Cloud, exposure_s: float, config: AccumulateConfig) -> NDArray[np.intp]:
    """Each lidar's sweeps nearest an exposure in time."""
    nearest = cloud.moments.nearest(np.abs(cloud.sweep_times_s - exposure_s), config.free_space.asked_sweeps)
    sweeps: NDArray[np.intp] = nearest[cloud.images.read[nearest]]
    return sweeps


def movers_in_frustum(
    cloud: Cloud,
    camera: Camera,
    T_cam_global: NDArray[np.float64],
    exposure_s: float,
    allowed: Bool,
    config: AccumulateConfig,
) -> list[Selection]:
    """Each mover's surfels where it is at exposure, without those that violate free space.

    Of deforming objects only those measured at about that time.
    """
    exposure_us = np.array([camera.timestamp_us], dtype=np.float64)
    sweeps = nearest_sweeps(cloud, exposure_s, config)
    selections = []
    for track, surfels in cloud.movers:
        if not len(surfels) or not track.known_at(exposure_us)[0]:
            continue
        if track.deforming:
            surfels = surfels.take(np.abs(surfels.time_s - exposure_s) <= config.tracks.deforming_window_s)
        T_cam_box = T_cam_global @ track.poses_at(exposure_us)[0]
        surfels = surfels.take(rows_in_frustum(surfels, T_cam_box, camera))
        if config.motion in ("auto", "free") and len(surfels):
            surfels = surfels.take(~mover_violates_free_space(cloud, track, surfels, sweeps, config))
        selections.append(in_frustum(surfels, T_cam_box, camera, allowed))
    return selections


def mover_violates_free_space(
    cloud: Cloud, track: ContinuousTrack, surfels: Surfels, sweeps: NDArray[np.intp], config: AccumulateConfig
) -> Bool:
    """Which of a mover's surfels (N,) lie in the free space of these sweeps, placed at each sweep's own time.

    A walker's leg of half a second ago, or surroundings inside a box.
    """
    passed, met = np.zeros(len(surfels), dtype=np.int64), np.zeros(len(surfels), dtype=np.int64)
    stamps_us = cloud.start_us + cloud.sweep_times_s[sweeps] * 1e6
    middles = track.poses_at(stamps_us)[:, :3, 3] - cloud.origin_global_m
    beam_s = [beam_time(cloud.images, s, middle) for s, middle in zip(sweeps.tolist(), middles, strict=True)]
    for s, T in zip(sweeps.tolist(), track.poses_at(stamps_us + np.array(beam_s) * 1e6), strict=True):
        T[:3, 3] -= cloud.origin_global_m
        there = se3.apply(T, surfels.xyz).astype(np.float32)
        free, hit = votes_of_sweeps(cloud.images, there, [s], config.free_space)
        passed += free
        met += hit
    out: Bool = (passed > met) & (passed >= min(config.free_space.min_passed, len(sweeps)))
    return out


def rows_in_frustum(surfels: Surfels, T_cam_src: NDArray[np.float64], camera: Camera) -> NDArray[np.int32]:
    """Rows of the surfels that project into the image or just beside it."""
    rows = np.empty(len(surfels), dtype=np.int32)
    count = select_in_frustum(surfels.xyz, T_cam_src, pinhole(camera), MARGIN_PX, MIN_DEPTH_M, FARTHEST_M, rows)
    return rows[:count]


def in_frustum(surfels: Surfels, T_cam_src: NDArray[np.float64], camera: Camera, allowed: Bool) -> Selection:
    """The surfels in the frustum, of the sweeps (S,) allowed."""
    rows = rows_in_frustum(surfels, T_cam_src, camera)
    return Selection(surfels, rows if allowed.all() else rows[allowed[surfels.sweep[rows]]], T_cam_src)


def in_camera_frame(selections: Sequence[Selection]) -> Surfels:
    """All surfels of some selections, one after the other, in cam."""
    ends = np.cumsum([0, *map(len, selections)])
    n = int(ends[-1])
    xyz, tangents = np.empty((n, 3), np.float32), np.empty((n, 2, 3), np.float32)
    half_m, time_s, sweep = np.empty((n, 4), np.float32), np.empty(n, np.float32), np.empty(n, np.int32)
    for selection, begin, end in zip(selections, ends, ends[1:], strict=False):
        of, rows, to = selection.surfels, selection.rows, slice(begin, end)
        move_surfels(of.xyz, of.tangents, rows, selection.T_cam_src, xyz[to], tangents[to])
        # The default mode makes take buffer its output; no row is out of bounds.
        of.half_m.take(rows, axis=0, out=half_m[to], mode="clip")
        of.time_s.take(rows, out=time_s[to], mode="clip")
        of.sweep.take(rows, out=sweep[to], mode="clip")
    return Surfels(xyz, tangents, half_m, time_s, sweep)
