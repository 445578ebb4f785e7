"""What public code does to turn sweeps into camera depth, each rewritten from its description in a few lines.

All of them leave out the recording car's own body as densegt does, use the camera's own pose at exposure, and let the
nearest point win in its pixel, so that what differs is the method and not its care. No code is copied.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from densegt.accumulation.config import EgoConfig
from densegt.accumulation.sweep_returns import not_own
from densegt.datasets.scene import Camera, Scene, Track
from densegt.geometry import boxes, se3
from densegt.geometry.camera import project

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Depths = Iterator[tuple[Camera, Float32]]
PoseAt = Callable[[Track, int], Float64 | None]

MIN_DEPTH_M = 0.3
MAX_DEPTH_M = 120.0
MASKED = ("vehicle.", "human.")


def single_sweep(scene: Scene) -> Depths:
    """The keyframe's own sweep (BEVDepth's ground truth)."""
    return _neighbours(scene, before=0, after=0)


def past_sweeps(scene: Scene) -> Depths:
    """The keyframe's sweep and the nine before it, nothing moves (the devkit's multi-sweep, as a z-buffer baseline)."""
    return _neighbours(scene, before=9, after=0)


def sweeps_around(scene: Scene) -> Depths:
    """20 sweeps before and after, nothing moves."""
    return _neighbours(scene, before=20, after=20)


def whole_scene(scene: Scene) -> Depths:
    """Every sweep of the scene, nothing moves."""
    return _neighbours(scene, before=len(scene.sweeps), after=len(scene.sweeps))


def _neighbours(scene: Scene, *, before: int, after: int) -> Depths:
    clouds = read_sweeps(scene)
    for camera in scene.cameras:
        own = own_sweep(scene, camera)
        yield camera, nearest_in_pixel(clouds[max(own - before, 0) : own + after + 1], camera)


def boxes_interpolated(scene: Scene) -> Depths:
    """20 sweeps before and after; boxes interpolated at a sweep's stamp carry their points to the keyframe's stamp."""
    cut = [Cut.of(xyz, scene.tracks, t, linear_pose) for xyz, t in zip(read_sweeps(scene), _stamps(scene), strict=True)]
    for camera in scene.cameras:
        own = own_sweep(scene, camera)
        yield camera, nearest_in_pixel(_placed(scene, cut[max(own - 20, 0) : own + 21], own, linear_pose), camera)


def pooled_instances(scene: Scene) -> Depths:
    """SurroundOcc: the whole scene, all boxes cut out (lowered by 0.1 m, x1.1), pooled by instance, put back.

    Boxes between keyframes are the devkit's, and only what is annotated at the target keyframe comes back.
    """
    keys = np.array([s.timestamp_us for s in scene.sweeps if s.is_keyframe])

    def pose_at(track: Track, t_us: int) -> Float64 | None:
        return devkit_pose(track, t_us, keys)

    sweeps = zip(read_sweeps(scene), _stamps(scene), strict=True)
    cut = [Cut.of(xyz, scene.tracks, t, pose_at, scale=1.1, lower_m=0.1) for xyz, t in sweeps]
    for camera in scene.cameras:
        yield camera, nearest_in_pixel(_placed(scene, cut, own_sweep(scene, camera), pose_at), camera)


def masked_objects(scene: Scene) -> Depths:
    """radar-camera-fusion-depth: 80 sweeps before and after, vehicles and people masked out but in the own sweep.

    Boxes stand for its image masks: of other sweeps, points in a box are dropped at the source and pixels on a box's
    outline's inside at the target. Real masks also cover what has no box.
    """
    clouds, tracks = read_sweeps(scene), [t for t in scene.tracks if t.category.startswith(MASKED)]
    still = [Cut.of(xyz, tracks, t, linear_pose).static for xyz, t in zip(clouds, _stamps(scene), strict=True)]
    for camera in scene.cameras:
        own = own_sweep(scene, camera)
        depth_m = nearest_in_pixel(still[max(own - 80, 0) : own] + still[own + 1 : own + 81], camera)
        depth_m[box_mask(tracks, camera)] = 0
        own_m = nearest_in_pixel([clouds[own]], camera)
        both = np.minimum(np.where(depth_m > 0, depth_m, np.inf), np.where(own_m > 0, own_m, np.inf))
        yield camera, np.where(np.isfinite(both), both, 0).astype(np.float32)


def read_sweeps(scene: Scene) -> list[Float64]:
    """Every sweep's points (N,3) in global, by the pose at its stamp."""
    return [
        se3.apply(sweep.T_global_lidar, xyz[not_own(xyz, sweep, EgoConfig())])
        for sweep in scene.sweeps
        for xyz in [scene.read_points(sweep).xyz_lidar]
    ]


def own_sweep(scene: Scene, camera: Camera) -> int:
    """Index of the sweep of the camera's keyframe."""
    return next(i for i, s in enumerate(scene.sweeps) if s.is_keyframe and s.sample_token == camera.sample_token)


def nearest_in_pixel(clouds: Iterable[Float64], camera: Camera) -> Float32:
    """Depth (H,W) m of the nearest of all points (N,3) in global that fall in each pixel; 0 where none does."""
    T_cam_global = se3.inverse(camera.T_global_cam)
    depth_m = np.full(camera.height_px * camera.width_px, np.inf, dtype=np.float32)
    for xyz_global in clouds:
        xyz = se3.apply(T_cam_global, xyz_global)
        uv, z = project(camera.K, xyz[(xyz[:, 2] > MIN_DEPTH_M) & (xyz[:, 2] < MAX_DEPTH_M)])
        inside = ((uv >= -0.5) & (uv < (camera.width_px - 0.5, camera.height_px - 0.5))).all(axis=1)
        col, row = np.floor(uv[inside] + 0.5).astype(np.intp).T
        np.minimum.at(depth_m, row * camera.width_px + col, z[inside].astype(np.float32))
    return np.where(np.isfinite(depth_m), depth_m, 0).reshape(camera.height_px, camera.width_px)


def linear_pose(track: Track, t_us: int) -> Float64 | None:
    """T_global_box between its annotations, by a straight line; None before the first and after the last."""
    knots = track.timestamps_us
    if not knots[0] <= t_us <= knots[-1]:
        return None
    k = min(int(np.searchsorted(knots, t_us, side="right")) - 1, max(len(knots) - 2, 0))
    if t_us == knots[k]:
        return np.asarray(track.T_global_box[k])
    return _between(track, k, k + 1, t_us)


def devkit_pose(track: Track, t_us: int, keyframes_us: NDArray[np.int64]) -> Float64 | None:
    """T_global_box as the devkit's `get_boxes` tells it.

    It goes by the boxes of the keyframe that follows: what has none there vanishes, and what has none at the keyframe
    before stands where it will be.
    """
    later = keyframes_us[min(int(np.searchsorted(keyframes_us, t_us)), len(keyframes_us) - 1)]
    k = int(np.searchsorted(track.timestamps_us, later))
    if k == len(track.timestamps_us) or track.timestamps_us[k] != later:
        return None
    earlier = keyframes_us[keyframes_us < later]
    if t_us >= later or k == 0 or len(earlier) == 0 or track.timestamps_us[k - 1] != earlier[-1]:
        return np.asarray(track.T_global_box[k])
    return _between(track, k - 1, k, t_us)


def _between(track: Track, a: int, b: int, t_us: int) -> Float64:
    fraction = (t_us - track.timestamps_us[a]) / (track.timestamps_us[b] - track.timestamps_us[a])
    pose: Float64 = se3.interpolate(track.T_global_box[a], track.T_global_box[b], np.array([fraction]))[0]
    return pose


@dataclass(frozen=True)
class Cut:
    """A sweep's points: static (N,3) in global, and those of each object by its index, (M,3) in its box."""

    static: Float64
    of_object: dict[int, Float64]

    @classmethod
    def of(
        cls,
        xyz_global: Float64,
        tracks: Sequence[Track],
        t_us: int,
        pose_at: PoseAt,
        *,
        scale: float = 1.0,
        lower_m: float = 0.0,
    ) -> Cut:
        """Cut out the boxes where they are at `t_us`, scaled from a bottom that is lowered."""
        static, of_object = np.ones(len(xyz_global), dtype=np.bool_), {}
        for index, track in enumerate(tracks):
            T_global_box = pose_at(track, t_us)
            if T_global_box is None:
                continue
            reach_m = np.linalg.norm(track.size_lwh_m) * scale / 2 + lower_m
            near = np.flatnonzero((np.abs(xyz_global - T_global_box[:3, 3]) < reach_m).all(axis=1))
            xyz_box = se3.apply(se3.inverse(T_global_box), xyz_global[near])
            half = track.size_lwh_m / 2
            height = xyz_box[:, 2] + half[2] + lower_m
            sides = (np.abs(xyz_box[:, :2]) <= scale * half[:2]).all(axis=1)
            inside = sides & (height >= 0) & (height <= 2 * scale * half[2])
            static[near[inside]] = False
            of_object[index] = xyz_box[inside]
        return cls(xyz_global[static], of_object)


def _placed(scene: Scene, cut: Sequence[Cut], own: int, pose_at: PoseAt) -> Iterator[Float64]:
    """Static points, and objects where they are at the stamp of sweep `own`; an object without a box then is lost."""
    t_us = scene.sweeps[own].timestamp_us
    poses = [pose_at(track, t_us) for track in scene.tracks]
    for sweep in cut:
        yield sweep.static
        for index, xyz_box in sweep.of_object.items():
            T_global_box = poses[index]
            if T_global_box is not None:
                yield se3.apply(T_global_box, xyz_box)


def box_mask(tracks: Sequence[Track], camera: Camera) -> NDArray[np.bool_]:
    """Pixels (H,W) on the outline of any box at the exposure, or within."""
    mask = np.zeros((camera.height_px, camera.width_px), dtype=np.uint8)
    T_cam_global = se3.inverse(camera.T_global_cam)
    for track in tracks:
        T_global_box = linear_pose(track, camera.timestamp_us)
        if T_global_box is None:
            continue
        xyz = boxes.corners(T_cam_global @ T_global_box, track.size_lwh_m)
        # What reaches behind the camera is cut off at the nearest depth.
        xyz[:, 2] = np.where(xyz[:, 2].max() > MIN_DEPTH_M, np.maximum(xyz[:, 2], MIN_DEPTH_M), np.nan)
        if np.isfinite(xyz).all():
            uv, _ = project(camera.K, xyz)
            cv2.fillConvexPoly(mask, cv2.convexHull(np.clip(uv, -1e4, 1e4).round().astype(np.int32)), (1,))
    return mask > 0


def _stamps(scene: Scene) -> list[int]:
    return [sweep.timestamp_us for sweep in scene.sweeps]
