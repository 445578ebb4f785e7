"""Refinement of ego poses: bundle adjustment over planes (BALM, Liu and Zhang 2021), with recorded poses as prior.

Localisation drifts by centimetres, most of all in height, and a street accumulated twice 5 cm apart is wrong
at grazing angles. Every small plane that several sweeps saw shall be flat: a joint problem of six unknowns
a moment, that is a sweep of a single lidar, or the sweeps of several lidars about the same time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from densegt.accumulation.config import AccumulateConfig, RefinePosesConfig
from densegt.accumulation.moments import Moments
from densegt.accumulation.motion.tracks import ContinuousTrack, moving_tracks
from densegt.accumulation.sweep_returns import SweepReturns
from densegt.accumulation.timing import EgoPath, point_times, to_global
from densegt.datasets.scene import Scene
from densegt.kernels.plane_adjustment import plane_adjustment

Float64 = NDArray[np.float64]


@dataclass(frozen=True)
class PoseSamples:
    """A few static points of each sweep.

    Attributes:
        xyz: (N,3) m in global minus the first ego position, by the recorded poses.
        moment: (N,) int32, which of M corrections applies.
        centre: (M,3) m, the lidar's position at each moment; corrections rotate about it.
    """

    xyz: Float64
    moment: NDArray[np.int32]
    centre: Float64

    def corrected(self, correction: Float64) -> Float64:
        """The points (N,3) after each moment's correction (M,6): shift in m, turn as a rotation vector."""
        arm = self.xyz - self.centre[self.moment]
        R = Rotation.from_rotvec(correction[:, 3:]).as_matrix()
        moved: Float64 = np.einsum("nij,nj->ni", R[self.moment], arm) + (self.centre + correction[:, :3])[self.moment]
        return moved


@dataclass(frozen=True)
class MovingBoxes:
    """Where each of K moving boxes is at each of S times.

    Attributes:
        T_global_box: (K,S,4,4).
        known: (K,S), whether its track is known.
        half_m: (K,3).
    """

    T_global_box: Float64
    known: NDArray[np.bool_]
    half_m: Float64

    @classmethod
    def at(cls, t_us: Float64, tracks: Sequence[ContinuousTrack]) -> MovingBoxes:
        """At times (S,)."""
        return cls(
            np.array([t.poses_at(t_us) for t in tracks]).reshape(len(tracks), len(t_us), 4, 4),
            np.array([t.known_at(t_us) for t in tracks], dtype=np.bool_).reshape(len(tracks), len(t_us)),
            np.array([t.size_lwh_m / 2 for t in tracks]).reshape(len(tracks), 3),
        )

    def hold(self, xyz: Float64, index: int, margin_m: float) -> NDArray[np.bool_]:
        """Which points (N,3) in global lie in a box, widened, at one of the times."""
        inside = np.zeros(len(xyz), dtype=np.bool_)
        for T, half_m in zip(
            self.T_global_box[self.known[:, index], index], self.half_m[self.known[:, index]], strict=True
        ):
            off = np.abs((xyz - T[:3, 3]) @ T[:3, :3])
            inside |= (off <= half_m + margin_m).all(axis=1)
        return inside


def refine_poses(scene: Scene, returns: Sequence[SweepReturns], config: AccumulateConfig) -> Scene:
    """The scene with poses at which its sweeps agree better, or as it is where that is not clear.

    Cameras and boxes keep their recorded poses, corrected as the sweeps about their time are.

    Args:
        returns: of each sweep, with those sampled for this.
    """
    refine, moments = config.ego_poses, Moments.of(scene)
    if not config.refine_poses or not refine.min_sweeps <= moments.count <= refine.max_sweeps:
        return scene
    samples = sample(scene, returns, moments, config)
    planes = find_planes(samples, refine)
    fit, held = planes[::2], planes[1::2]
    if len(held) < refine.min_planes:
        return scene
    correction = np.zeros((len(samples.centre), 6))
    before = after = roughness(samples, held, correction, refine)
    for number, scale_m in enumerate(np.geomspace(refine.coarse_m, refine.fine_m, refine.iterations)):
        # Where the first step flattens nothing, the poses are right as they are.
        if number == 1 and not after < before:
            return scene
        correction = adjust(samples, fit, correction, scale_m, refine)
        after = roughness(samples, held, correction, refine)
    return corrected(scene, samples.centre, moments, correction) if after < (1 - refine.min_gain) * before else scene


def sample(scene: Scene, returns: Sequence[SweepReturns], moments: Moments, config: AccumulateConfig) -> PoseSamples:
    """The points sampled from each sweep, but for those in moving boxes."""
    path, origin = EgoPath.of(scene), scene.sweeps[0].T_global_ego[:3, 3]
    tracks = moving_tracks(scene, config.tracks) if config.motion in ("auto", "boxes") else []
    boxes = MovingBoxes.at(np.array([s.timestamp_us for s in scene.sweeps], dtype=np.float64), tracks)
    parts, moment = [np.zeros((0, 3))], [np.zeros(0, dtype=np.int32)]
    for index, (meta, of_sweep) in enumerate(zip(scene.sweeps, returns, strict=True)):
        few = of_sweep.take(of_sweep.sampled)
        if not len(few):
            continue
        xyz = to_global(few.xyz_lidar, meta, point_times(few, meta), path)
        static = ~boxes.hold(xyz, index, config.ego_poses.box_margin_m)
        parts.append(xyz[static] - origin)
        moment.append(np.full(int(static.sum()), moments.moment[index], dtype=np.int32))
    centre = np.array([scene.sweeps[i].T_global_lidar[:3, 3] - origin for i in moments.first])
    return PoseSamples(np.concatenate(parts), np.concatenate(moment), centre)


def find_planes(samples: PoseSamples, config: RefinePosesConfig) -> NDArray[np.int32]:
    """Neighbourhoods (A,K) of points, -1 for none, seen at several moments, that may be flat."""
    if len(samples.xyz) < config.neighbours:
        return np.zeros((0, config.neighbours), dtype=np.int32)
    anchors = np.random.default_rng(1).permutation(len(samples.xyz))[: config.planes * len(samples.centre)]
    distance, rows = cKDTree(samples.xyz).query(
        samples.xyz[anchors], k=config.neighbours, distance_upper_bound=config.reach_m
    )
    members = np.where(np.isfinite(distance), rows, -1).astype(np.int32)
    moment = np.where(members >= 0, samples.moment[members], -1)
    kinds = (np.diff(np.sort(moment, axis=1), axis=1) > 0).sum(axis=1)
    few = (members < 0).sum(axis=1) > config.neighbours - 6
    return np.ascontiguousarray(members[(kinds >= 4) & ~few])


def shape(xyz: Float64, members: NDArray[np.int32]) -> tuple[Float64, Float64]:
    """Normals (A,3) of neighbourhoods, and their extents (A,3) m, least first."""
    there = (members >= 0)[..., None]
    places = xyz[members]
    mean = np.where(there, places, 0).sum(axis=1) / there.sum(axis=1)
    off = np.where(there, places - mean[:, None], 0.0)
    values, vectors = np.linalg.eigh(np.einsum("aki,akj->aij", off, off) / there.sum(axis=1)[..., None])
    return vectors[:, :, 0], np.sqrt(np.maximum(values, 0))


def adjust(
    samples: PoseSamples, members: NDArray[np.int32], correction: Float64, scale_m: float, config: RefinePosesConfig
) -> Float64:
    """The correction (M,6) of each moment after one more step towards flat planes."""
    count = len(samples.centre)
    prior = (config.plane_sigma_m / np.r_[config.sigma_m, np.deg2rad(config.sigma_deg)]) ** 2
    xyz = samples.corrected(correction)
    normal, extent = shape(xyz, members)
    flat = (extent[:, 0] < 2 * scale_m) & (extent[:, 0] < config.flat * extent[:, 1])
    H, g = np.zeros((count, count, 6, 6)), prior * correction
    H[range(count), range(count)] = np.diag(prior)
    arm = xyz - samples.centre[samples.moment]
    plane_adjustment(xyz, arm, samples.moment, members[flat], normal[flat], scale_m, H, g)
    whole = H.transpose(0, 2, 1, 3).reshape(6 * count, 6 * count)
    step = solve(whole, g.ravel(), lower=True, assume_a="pos", overwrite_a=True, check_finite=False)
    adjusted: Float64 = correction - step.reshape(count, 6)
    return adjusted


def roughness(
    samples: PoseSamples, members: NDArray[np.int32], correction: Float64, config: RefinePosesConfig
) -> float:
    """How thick the planes are, m: the mean, none counted beyond twice `coarse_m`."""
    _, extent = shape(samples.corrected(correction), members)
    return float(np.minimum(extent[:, 0], 2 * config.coarse_m).mean())


def corrected(scene: Scene, centre: Float64, moments: Moments, correction: Float64) -> Scene:
    """The scene with its recorded poses corrected: of sweeps by their moment's correction, of cameras and boxes by the
    one interpolated at their time. Each moment turns about its centre (M,3)."""
    stamps_us = np.array([scene.sweeps[i].timestamp_us for i in moments.first], dtype=np.float64)
    centre = centre + scene.sweeps[0].T_global_ego[:3, 3]
    of_sweep = moments.moment
    ego = np.stack([sweep.T_global_ego for sweep in scene.sweeps])
    ego = apply_correction(ego, centre[of_sweep], correction[of_sweep])

    def at(t_us: Float64, T_global: Float64) -> Float64:
        return apply_correction(
            T_global, _interpolated(t_us, stamps_us, centre), _interpolated(t_us, stamps_us, correction)
        )

    cameras = scene.cameras
    if cameras:
        exposures_us = np.array([camera.timestamp_us for camera in cameras], dtype=np.float64)
        poses = at(exposures_us, np.stack([camera.T_global_ego for camera in cameras]))
        cameras = tuple(replace(camera, T_global_ego=T) for camera, T in zip(cameras, poses, strict=True))
    return replace(
        scene,
        sweeps=tuple(replace(sweep, T_global_ego=T) for sweep, T in zip(scene.sweeps, ego, strict=True)),
        cameras=cameras,
        tracks=tuple(
            replace(track, T_global_box=at(track.timestamps_us.astype(np.float64), track.T_global_box))
            for track in scene.tracks
        ),
    )


def apply_correction(T_global: Float64, centre: Float64, correction: Float64) -> Float64:
    """Poses (N,4,4) turned about centres (N,3) m and shifted, by corrections (N,6); by zeros they stay to the bit."""
    turn = Rotation.from_rotvec(correction[:, 3:]).as_matrix() - np.eye(3)
    change = np.zeros_like(T_global)
    change[:, :3, :3] = turn @ T_global[:, :3, :3]
    change[:, :3, 3] = np.einsum("nij,nj->ni", turn, T_global[:, :3, 3] - centre) + correction[:, :3]
    return np.where(change != 0, T_global + change, T_global)


def _interpolated(t_us: Float64, stamps_us: Float64, values: Float64) -> Float64:
    """Columns of values (M,C) at times (N,), linear; beyond the ends the last one holds."""
    return np.stack([np.interp(t_us, stamps_us, column) for column in values.T], axis=1)
