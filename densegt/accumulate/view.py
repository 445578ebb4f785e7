"""What a camera might see: patches in its frame, movers placed where they are at exposure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from densegt.accumulate.cloud import Cloud
from densegt.accumulate.config import AccumulateConfig, SurfaceConfig
from densegt.accumulate.freespace import behind_glass, gone_now
from densegt.accumulate.patches import Patches, concatenate
from densegt.datasets.scene import Camera
from densegt.geometry import se3
from densegt.kernels.view import move_patches, select_in_view

Float32 = NDArray[np.float32]
Bool = NDArray[np.bool_]

MARGIN_PX = 32.0
MIN_DEPTH_M = 0.3


@dataclass(frozen=True)
class View:
    """Patches that a camera looks at, hidden ones included.

    Attributes:
        patches: (N) in cam.
        moving: (N,), of what moves.
        age_s: (N,) float32, measurement's time minus exposure.
        trust: (N,) float32, see `sideways_trust`.
        reach_px: (N,) float32, how far a patch may reach in the image.
    """

    patches: Patches
    moving: Bool
    age_s: Float32
    trust: Float32
    reach_px: Float32


def look(cloud: Cloud, camera: Camera, config: AccumulateConfig) -> View:
    """The static world, the labelled movers at exposure, and what was there just then, all in cam."""
    exposure_s = (camera.timestamp_us - cloud.start_us) * 1e-6
    T_cam_global = se3.inverse(camera.T_global_cam)
    T_cam_origin = T_cam_global.copy()
    T_cam_origin[:3, 3] += T_cam_global[:3, :3] @ cloud.origin_global_m
    allowed = sweeps_in_window(cloud, camera, config.window_s)
    static = in_view(standing_now(cloud, camera, T_cam_origin, exposure_s, config), T_cam_origin, camera, allowed)
    just_now = in_view(cloud.transient, T_cam_origin, camera, allowed)
    just_now = just_now.take(np.abs(just_now.time_s - exposure_s) <= cloud.period_s / 2)
    parts = [static, just_now, *movers_in_view(cloud, camera, T_cam_global, exposure_s, allowed, config)]
    patches = concatenate(parts)
    trust = sideways_trust(patches, se3.apply(T_cam_origin, cloud.images.origin), camera, config.patches)
    trust[len(static) :] = 1.0
    reach_px = np.full(
        len(patches), max(reach_rad(cloud, allowed, config.patches) * camera.K[0, 0], 1.5), dtype=np.float32
    )
    # What keeps pace with the ego has nothing else to fill the gaps between rings; less still has what one sweep alone
    # saw, and a camera may stand four times as near to it as the lidar.
    half_gap_px = np.deg2rad(config.patches.max_gap_deg) / 2 * camera.K[0, 0]
    reach_px[len(static) :] = half_gap_px
    reach_px[len(static) : len(static) + len(just_now)] = 4 * half_gap_px
    moving = np.arange(len(patches)) >= len(static)
    return View(patches, moving, patches.time_s - np.float32(exposure_s), trust, reach_px)


def reach_rad(cloud: Cloud, allowed: Bool, config: SurfaceConfig) -> float:
    """How far patches may reach in the image: half a ring gap for one sweep, less the more places it was seen from.

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


def standing_now(
    cloud: Cloud, camera: Camera, T_cam_origin: NDArray[np.float64], exposure_s: float, config: AccumulateConfig
) -> Patches:
    """Static patches that the camera looks at, in global minus origin, as far as the sweeps about it do not object.

    Those sweeps object to what they look through, which has come or gone, and to what stands behind glass.
    """
    rows = rows_in_view(cloud.static, T_cam_origin, camera)
    asked = np.argsort(np.abs(cloud.sweep_times_s - exposure_s), kind="stable")[: config.free_space.asked_sweeps]
    asked = asked[cloud.images.read[asked]]
    if config.motion in ("none", "boxes") or len(asked) == 0:
        return cloud.static.take(rows)
    xyz = cloud.static.xyz[rows]
    glass = behind_glass(cloud.images, xyz, asked.tolist(), config.free_space)
    return cloud.static.take(rows[~glass & ~gone_now(cloud.images, xyz, asked.tolist(), config.free_space)])


def movers_in_view(
    cloud: Cloud,
    camera: Camera,
    T_cam_global: NDArray[np.float64],
    exposure_s: float,
    allowed: Bool,
    config: AccumulateConfig,
) -> list[Patches]:
    """Each labelled mover's patches where it is at exposure; of what deforms only those measured about then."""
    exposure_us = np.array([camera.timestamp_us], dtype=np.float64)
    parts = []
    for track, patches in cloud.movers:
        if not len(patches) or not track.known_at(exposure_us)[0]:
            continue
        if track.deforming:
            patches = patches.take(np.abs(patches.time_s - exposure_s) <= config.tracks.deforming_window_s)
        parts.append(in_view(patches, T_cam_global @ track.poses_at(exposure_us)[0], camera, allowed))
    return parts


def rows_in_view(patches: Patches, T_cam_src: NDArray[np.float64], camera: Camera) -> NDArray[np.int32]:
    """Rows of the patches that project into the image or just beside it."""
    rows = np.empty(len(patches), dtype=np.int32)
    size = (camera.width_px, camera.height_px)
    # Farther than this the store holds no depth.
    count = select_in_view(patches.xyz, T_cam_src, camera.K, *size, MARGIN_PX, MIN_DEPTH_M, 255.0, rows)
    return rows[:count]


def in_view(patches: Patches, T_cam_src: NDArray[np.float64], camera: Camera, allowed: Bool) -> Patches:
    """The patches that the camera looks at, of the sweeps (S,) allowed, in cam."""
    rows = rows_in_view(patches, T_cam_src, camera)
    rows = rows[allowed[patches.sweep[rows]]]
    xyz = np.empty((len(rows), 3), dtype=np.float32)
    tangents = np.empty((len(rows), 2, 3), dtype=np.float32)
    move_patches(patches.xyz, patches.tangents, rows, T_cam_src, xyz, tangents)
    return Patches(xyz, tangents, patches.half_m[rows], patches.time_s[rows], patches.sweep[rows])


def sideways_trust(patches: Patches, lidar_cam: NDArray[np.float64], camera: Camera, config: SurfaceConfig) -> Float32:
    """How little each patch (N,) may stand beside its true pixel: 1 / (1 + s^2), s its sideways error in pixels.

    A lidar errs along its beam. Seen from where it stood that moves nothing in the image; seen from the side by an
    angle t it moves the point by range_noise sin(t) f / z pixels, and outlines bristle.

    Args:
        lidar_cam: (S,3) m, where each sweep's lidar stood, in cam.
    """
    xyz = patches.xyz
    beam = xyz - lidar_cam[patches.sweep].astype(np.float32)
    across = np.linalg.norm(np.cross(beam, xyz), axis=1)
    sine = across / (np.linalg.norm(beam, axis=1) * np.linalg.norm(xyz, axis=1) + np.float32(1e-6))
    sideways_px = config.range_noise_m * sine * np.float32(camera.K[0, 0]) / xyz[:, 2]
    return np.asarray(1.0 / (1.0 + sideways_px**2), dtype=np.float32)
