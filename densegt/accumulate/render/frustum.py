"""What a camera might see: surfels in its frame, movers placed where they are at exposure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from densegt.accumulate.cloud import Cloud
from densegt.accumulate.config import AccumulateConfig, SurfelConfig
from densegt.accumulate.motion.free_space import beam_time, violates_free_space_now, votes
from densegt.accumulate.motion.tracks import ContinuousTrack
from densegt.accumulate.render.projected_surfels import ProjectedSurfels
from densegt.accumulate.surfels import Surfels
from densegt.datasets.scene import Camera
from densegt.geometry import se3
from densegt.kernels.frustum import move_surfels, select_in_frustum, viewing_geometry
from densegt.kernels.subsample import subsample_points, subsample_surfels

Float32 = NDArray[np.float32]
Bool = NDArray[np.bool_]

MARGIN_PX = 32.0
MIN_DEPTH_M = 0.3
# A lidar this near to a camera, at about the same time, looks past the same things.
BESIDE_M, BESIDE_S = 2.5, 0.5


@dataclass(frozen=True)
class VisibleSurfels:
    """Surfels that a camera looks at, hidden ones included.

    Attributes:
        surfels: (N) in cam.
        moving: (N,), of what moves.
        passing: (N,), of what moves and no track explains; true for a moment.
        age_s: (N,) float32, measurement's time minus exposure.
        trust: (N,) float32, how little each may stand beside its true pixel, see `viewing_geometry`.
        planes: the surfels over the image, each cut to its reach.
        beside: (N,), measured from about where the camera is, about when it exposed: by the same line of sight.
        incidence: (N,) float32, cosine of the angle between the camera's ray and the surfel's normal.
    """

    surfels: Surfels
    moving: Bool
    passing: Bool
    age_s: Float32
    trust: Float32
    planes: ProjectedSurfels
    beside: Bool
    incidence: Float32


@dataclass(frozen=True)
class Part:
    """Some of the surfels of one frame.

    Attributes:
        surfels: in src; rows: (M,), which of them.
    """

    surfels: Surfels
    rows: NDArray[np.int32]
    T_cam_src: NDArray[np.float64]

    @classmethod
    def of(cls, surfels: Surfels, rows: NDArray[np.int32], T_cam_src: NDArray[np.float64], allowed: Bool) -> Part:
        """As far as they are of the sweeps (S,) allowed."""
        return cls(surfels, rows if allowed.all() else rows[allowed[surfels.sweep[rows]]], T_cam_src)

    def __len__(self) -> int:
        return len(self.rows)


def select_visible(cloud: Cloud, camera: Camera, config: AccumulateConfig) -> VisibleSurfels:
    """The static world, the labelled movers at exposure, and what was there just then, all in cam."""
    exposure_s = (camera.timestamp_us - cloud.start_us) * 1e-6
    T_cam_global = se3.inverse(camera.T_global_cam)
    T_cam_origin = T_cam_global.copy()
    T_cam_origin[:3, 3] += T_cam_global[:3, :3] @ cloud.origin_global_m
    allowed = sweeps_in_window(cloud, camera, config.window_s)
    standing, chance = static_surfels(cloud, camera, T_cam_origin, exposure_s, allowed, config)
    static = Part(cloud.static, standing, T_cam_origin)
    then = np.abs(cloud.transient.time_s - exposure_s) <= cloud.period_s / 2
    just_now = in_view(cloud.transient.take(then), T_cam_origin, camera, allowed)
    surfels = in_camera_frame(
        [static, just_now, *movers_in_view(cloud, camera, T_cam_global, exposure_s, allowed, config)]
    )
    lidar_cam = se3.apply(T_cam_origin, cloud.images.origin)
    trust, incidence = np.empty(len(surfels), dtype=np.float32), np.empty(len(surfels), dtype=np.float32)
    seen = (surfels.xyz, surfels.tangents, surfels.sweep, lidar_cam.astype(np.float32))
    viewing_geometry(*seen, camera.K[0, 0], config.surfels.range_noise_m, trust, incidence)
    trust[len(static) :] = 1.0
    reach_px = np.full(
        len(surfels), max(reach_rad(cloud, allowed, config.surfels) * camera.K[0, 0], 1.5), dtype=np.float32
    )
    # What keeps pace with the ego has nothing else to fill the gaps between rings; less still has what one sweep alone
    # saw, and a camera may stand four times as near to it as the lidar.
    half_gap_px = np.deg2rad(config.surfels.max_gap_deg) / 2 * camera.K[0, 0]
    reach_px[len(static) :] = half_gap_px
    reach_px[len(static) : len(static) + len(just_now)] = 4 * half_gap_px
    moving = np.arange(len(surfels)) >= len(static)
    passing = moving & (np.arange(len(surfels)) < len(static) + len(just_now))
    age_s = surfels.time_s - np.float32(exposure_s)
    near = np.linalg.norm(lidar_cam, axis=1) <= BESIDE_M
    beside = near[surfels.sweep] & (np.abs(age_s) <= BESIDE_S)
    share = np.ones(len(surfels), dtype=np.float32)
    share[: len(static)] = chance
    size = (camera.height_px, camera.width_px)
    over = (config.surfels.layers, len(static))
    subsample_surfels(surfels.xyz, surfels.half_m, incidence, reach_px, camera.K, *size, *over, share)
    planes = ProjectedSurfels.of(surfels, trust, share, reach_px, camera)
    return VisibleSurfels(surfels, moving, passing, age_s, trust, planes, beside, incidence)


def reach_rad(cloud: Cloud, allowed: Bool, config: SurfelConfig) -> float:
    """How far surfels may reach in the image: half a ring gap for one sweep, less the more places it was seen from.

    Rings of a lidar that stands still fall on the same lines again; each 0.2 m it travels counts as another sweep.
    """
    steps_m = np.linalg.norm(np.diff(cloud.images.origin[allowed], axis=0), axis=1)
    sweeps = 1 + float(steps_m.sum()) / 0.2
    return float(max(config.max_reach_rad, np.deg2rad(config.max_gap_deg) / 2 / np.sqrt(sweeps)))


def sweeps_in_window(cloud: Cloud, camera: Camera, window_s: float | None) -> Bool:
    """Which sweeps (S,) may be used: those at most `window_s` from the keyframe's own, all for None."""
    if window_s is None:
        return np.ones(len(cloud.sweep_times_s), dtype=np.bool_)
    own = [t for t, token in zip(cloud.sweep_times_s, cloud.sample_tokens, strict=True) if token == camera.sample_token]
    middle_s = own[0] if own else (camera.timestamp_us - cloud.start_us) * 1e-6
    within: Bool = np.abs(cloud.sweep_times_s - middle_s) <= window_s + 1e-3
    return within


def static_surfels(
    cloud: Cloud,
    camera: Camera,
    T_cam_origin: NDArray[np.float64],
    exposure_s: float,
    allowed: Bool,
    config: AccumulateConfig,
) -> tuple[NDArray[np.int32], Float32]:
    """Rows (M,) of the static surfels that the camera looks at, as far as the sweeps about it do not object.

    Those sweeps object to what they look through, which has come or gone, and to what stands behind glass. Where too
    many crowd a pixel some are left out: with it goes the chance (M,) with which each was kept.
    """
    rows = in_view(cloud.static, T_cam_origin, camera, allowed).rows
    rows, chance = uncrowded(cloud, rows, camera, T_cam_origin, exposure_s, config.surfels.crowd)
    asked = sweeps_about(cloud, exposure_s, config)
    if config.motion in ("none", "boxes") or len(asked) == 0:
        return rows, chance
    there = np.flatnonzero(
        ~violates_free_space_now(cloud.images, cloud.static, rows, asked.tolist(), config.free_space)
    )
    return rows.take(there), chance.take(there)


def uncrowded(
    cloud: Cloud,
    rows: NDArray[np.int32],
    camera: Camera,
    T_cam_origin: NDArray[np.float64],
    exposure_s: float,
    most: float,
) -> tuple[NDArray[np.int32], Float32]:
    """Some of the static surfels named by rows (N,), which are spent, and the chance with which each was kept.

    What was measured about the exposure all stays: it tells what was looked through. See `subsample_points`.
    """
    about = np.abs(cloud.sweep_times_s - exposure_s) <= BESIDE_S + cloud.period_s
    chance = np.empty(len(rows), dtype=np.float32)
    size = (camera.height_px, camera.width_px)
    points = (cloud.static.xyz, cloud.static.sweep)
    count = subsample_points(*points, about, T_cam_origin, camera.K, *size, most, rows, chance)
    return rows[:count], chance[:count]


def sweeps_about(cloud: Cloud, exposure_s: float, config: AccumulateConfig) -> NDArray[np.intp]:
    """The sweeps nearest an exposure in time, which tell what was there just then."""
    nearest = np.argsort(np.abs(cloud.sweep_times_s - exposure_s), kind="stable")[: config.free_space.asked_sweeps]
    asked: NDArray[np.intp] = nearest[cloud.images.read[nearest]]
    return asked


def movers_in_view(
    cloud: Cloud,
    camera: Camera,
    T_cam_global: NDArray[np.float64],
    exposure_s: float,
    allowed: Bool,
    config: AccumulateConfig,
) -> list[Part]:
    """Each mover's surfels where it is at exposure, as far as the sweeps about it do not look through them.

    Of what deforms only those measured about then.
    """
    exposure_us = np.array([camera.timestamp_us], dtype=np.float64)
    asked = sweeps_about(cloud, exposure_s, config)
    parts = []
    for track, surfels in cloud.movers:
        if not len(surfels) or not track.known_at(exposure_us)[0]:
            continue
        if track.deforming:
            surfels = surfels.take(np.abs(surfels.time_s - exposure_s) <= config.tracks.deforming_window_s)
        T_cam_box = T_cam_global @ track.poses_at(exposure_us)[0]
        surfels = surfels.take(rows_in_view(surfels, T_cam_box, camera))
        if config.motion in ("auto", "free") and len(surfels):
            surfels = surfels.take(~moved_away(cloud, track, surfels, asked, config))
        parts.append(in_view(surfels, T_cam_box, camera, allowed))
    return parts


def moved_away(
    cloud: Cloud, track: ContinuousTrack, surfels: Surfels, asked: NDArray[np.intp], config: AccumulateConfig
) -> Bool:
    """Which of a mover's surfels (N,) the sweeps about an exposure look through, each asked where the mover was then.

    A walker's leg that was there half a second ago, what a box claimed of its surroundings.
    """
    passed, met = np.zeros(len(surfels), dtype=np.int64), np.zeros(len(surfels), dtype=np.int64)
    nobody = np.zeros(len(surfels), dtype=np.int32)
    stamps_us = cloud.start_us + cloud.sweep_times_s[asked] * 1e6
    middles = track.poses_at(stamps_us)[:, :3, 3] - cloud.origin_global_m
    passing_s = [beam_time(cloud.images, s, middle) for s, middle in zip(asked.tolist(), middles, strict=True)]
    for s, T in zip(asked.tolist(), track.poses_at(stamps_us + np.array(passing_s) * 1e6), strict=True):
        T[:3, 3] -= cloud.origin_global_m
        there = se3.apply(T, surfels.xyz).astype(np.float32)
        looked_through, hit = votes(cloud.images, there, nobody, [s], config.free_space)
        passed += looked_through
        met += hit
    out: Bool = (passed > met) & (passed >= min(config.free_space.min_passed, len(asked)))
    return out


def rows_in_view(surfels: Surfels, T_cam_src: NDArray[np.float64], camera: Camera) -> NDArray[np.int32]:
    """Rows of the surfels that project into the image or just beside it."""
    rows = np.empty(len(surfels), dtype=np.int32)
    size = (camera.width_px, camera.height_px)
    # Farther than this the store holds no depth.
    count = select_in_frustum(surfels.xyz, T_cam_src, camera.K, *size, MARGIN_PX, MIN_DEPTH_M, 255.0, rows)
    return rows[:count]


def in_view(surfels: Surfels, T_cam_src: NDArray[np.float64], camera: Camera, allowed: Bool) -> Part:
    """The surfels that the camera looks at, of the sweeps (S,) allowed."""
    return Part.of(surfels, rows_in_view(surfels, T_cam_src, camera), T_cam_src, allowed)


def in_camera_frame(parts: Sequence[Part]) -> Surfels:
    """All surfels of some parts, one after the other, in cam."""
    ends = np.cumsum([0, *(len(part.rows) for part in parts)])
    n = int(ends[-1])
    xyz, tangents = np.empty((n, 3), np.float32), np.empty((n, 2, 3), np.float32)
    half_m, time_s, sweep = np.empty((n, 4), np.float32), np.empty(n, np.float32), np.empty(n, np.int32)
    for part, begin, end in zip(parts, ends, ends[1:], strict=False):
        of, rows, to = part.surfels, part.rows, slice(begin, end)
        move_surfels(of.xyz, of.tangents, rows, part.T_cam_src, xyz[to], tangents[to])
        # Any other mode than raising makes take write in place; no row is out of bounds.
        of.half_m.take(rows, axis=0, out=half_m[to], mode="clip")
        of.time_s.take(rows, out=time_s[to], mode="clip")
        of.sweep.take(rows, out=sweep[to], mode="clip")
    return Surfels(xyz, tangents, half_m, time_s, sweep)
