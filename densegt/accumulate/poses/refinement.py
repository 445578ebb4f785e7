"""The ego's path, bettered by what it saw: at the true poses, all sweeps draw one and the same street.

Localisation drifts by centimetres, most of all in height, and a street drawn twice 5 cm apart hides and shows the
wrong things at grazing angles. Every small plane that several sweeps saw is asked to be flat (bundle adjustment over
planes, as in BALM, Liu and Zhang 2021): a joint problem of six unknowns a sweep, with the recorded poses as prior.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from densegt.accumulate.config import AccumulateConfig, RefinePosesConfig
from densegt.accumulate.measurements import drop_ego
from densegt.accumulate.motion.tracks import ContinuousTrack, moving_tracks
from densegt.accumulate.timing import EgoPath, point_times, to_global
from densegt.datasets.scene import Points, Scene
from densegt.geometry import se3
from densegt.kernels.plane_adjustment import plane_adjustment

Float64 = NDArray[np.float64]


@dataclass(frozen=True)
class PoseSamples:
    """A few points of each sweep, of what stands still as far as known.

    Attributes:
        xyz: (N,3) m in global minus `origin`, by the recorded poses.
        sweep: (N,) int32.
        centre: (S,3) m, where each lidar was; corrections turn about it.
    """

    xyz: Float64
    sweep: NDArray[np.int32]
    centre: Float64

    def corrected(self, correction: Float64) -> Float64:
        """The points (N,3) after each sweep's correction (S,6): shift in m, turn as a rotation vector."""
        arm = self.xyz - self.centre[self.sweep]
        R = Rotation.from_rotvec(correction[:, 3:]).as_matrix()
        moved: Float64 = np.einsum("nij,nj->ni", R[self.sweep], arm) + (self.centre + correction[:, :3])[self.sweep]
        return moved


@dataclass(frozen=True)
class MovingBoxes:
    """Where each of K moving boxes is at each of S times.

    Attributes:
        T_global_box: (K,S,4,4).
        known: (K,S), whether its track can tell.
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


def refine_poses(scene: Scene, config: AccumulateConfig) -> Scene:
    """The scene with poses at which its sweeps agree better, or as it is where that is not clear.

    Cameras lie on the new path at their exposures; boxes, which were drawn through the recorded poses, move along.
    """
    refine = config.ego_poses
    if not config.refine_poses or not refine.min_sweeps <= len(scene.sweeps) <= refine.max_sweeps:
        return scene
    samples = sample(scene, config)
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
    return corrected(scene, samples, correction) if after < (1 - refine.min_gain) * before else scene


def sample(scene: Scene, config: AccumulateConfig) -> PoseSamples:
    """Points drawn from each sweep, evenly over the ground rather than over angles, none of moving boxes."""
    refine, path, rng = config.ego_poses, EgoPath.of(scene), np.random.default_rng(0)
    origin = scene.sweeps[0].T_global_ego[:3, 3]
    tracks = moving_tracks(scene, config.tracks) if config.motion in ("auto", "boxes") else []
    boxes = MovingBoxes.at(np.array([s.timestamp_us for s in scene.sweeps], dtype=np.float64), tracks)
    parts, sweeps = [], []
    for index, meta in enumerate(scene.sweeps):
        few = drop_ego(draw(scene.read_points(meta), refine, rng), meta, config.ego)
        if not len(few.xyz_lidar):
            continue
        times_s = point_times(few, meta)
        xyz = to_global(few, meta, times_s, path)
        standing = ~boxes.hold(xyz, index, refine.box_margin_m)
        parts.append(xyz[standing] - origin)
        sweeps.append(np.full(int(standing.sum()), index, dtype=np.int32))
    centre = np.array([s.T_global_lidar[:3, 3] - origin for s in scene.sweeps])
    if not parts:
        return PoseSamples(np.zeros((0, 3)), np.zeros(0, dtype=np.int32), centre)
    return PoseSamples(np.concatenate(parts), np.concatenate(sweeps), centre)


def draw(points: Points, config: RefinePosesConfig, rng: np.random.Generator) -> Points:
    """Some of a sweep's points, the farther the likelier, since a spinning lidar sees mostly what is near."""
    range_m = np.linalg.norm(points.xyz_lidar, axis=1)
    near = np.flatnonzero(range_m < config.max_range_m)
    if len(near) > config.points:
        # Exponential races are won in proportion to their rates: a draw without replacement.
        race = rng.standard_exponential(len(near), dtype=np.float32) / (range_m[near] + np.float32(1e-3))
        near = near[np.argpartition(race, config.points)[: config.points]]
    return Points(points.xyz_lidar[near], points.intensity[near], points.ring[near])


def find_planes(samples: PoseSamples, config: RefinePosesConfig) -> NDArray[np.int32]:
    """Neighbourhoods (A,K) of points, -1 for none, that several sweeps saw and that may be flat."""
    if len(samples.xyz) < config.neighbours:
        return np.zeros((0, config.neighbours), dtype=np.int32)
    anchors = np.random.default_rng(1).permutation(len(samples.xyz))[: config.planes * len(samples.centre)]
    distance, rows = cKDTree(samples.xyz).query(
        samples.xyz[anchors], k=config.neighbours, distance_upper_bound=config.reach_m
    )
    members = np.where(np.isfinite(distance), rows, -1).astype(np.int32)
    sweep = np.where(members >= 0, samples.sweep[members], -1)
    kinds = (np.diff(np.sort(sweep, axis=1), axis=1) > 0).sum(axis=1)
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
    """The correction (S,6) of each sweep after one more step towards flat planes."""
    sweeps = len(samples.centre)
    prior = (config.plane_sigma_m / np.r_[config.sigma_m, np.deg2rad(config.sigma_deg)]) ** 2
    xyz = samples.corrected(correction)
    normal, extent = shape(xyz, members)
    flat = (extent[:, 0] < 2 * scale_m) & (extent[:, 0] < config.flat * extent[:, 1])
    H, g = np.zeros((sweeps, sweeps, 6, 6)), prior * correction
    H[range(sweeps), range(sweeps)] = np.diag(prior)
    arm = xyz - samples.centre[samples.sweep]
    plane_adjustment(xyz, arm, samples.sweep, members[flat], normal[flat], scale_m, H, g)
    whole = H.transpose(0, 2, 1, 3).reshape(6 * sweeps, 6 * sweeps)
    step = solve(whole, g.ravel(), lower=True, assume_a="pos", overwrite_a=True, check_finite=False)
    bettered: Float64 = correction - step.reshape(sweeps, 6)
    return bettered


def roughness(
    samples: PoseSamples, members: NDArray[np.int32], correction: Float64, config: RefinePosesConfig
) -> float:
    """How thick the planes are, m: the mean, none counted beyond twice `coarse_m`."""
    _, extent = shape(samples.corrected(correction), members)
    return float(np.minimum(extent[:, 0], 2 * config.coarse_m).mean())


def corrected(scene: Scene, samples: PoseSamples, correction: Float64) -> Scene:
    """The scene on its new path."""
    origin = scene.sweeps[0].T_global_ego[:3, 3]
    R = Rotation.from_rotvec(correction[:, 3:]).as_matrix()
    sweeps = []
    for meta, turn, centre, shift in zip(scene.sweeps, R, samples.centre + origin, correction[:, :3], strict=True):
        T = meta.T_global_ego.copy()
        T[:3, :3] = turn @ T[:3, :3]
        T[:3, 3] = turn @ (T[:3, 3] - centre) + centre + shift
        sweeps.append(replace(meta, T_global_ego=T))
    old = EgoPath.of(scene)
    new = EgoPath.of(replace(scene, sweeps=tuple(sweeps)))
    at = np.array([c.timestamp_us for c in scene.cameras], dtype=np.float64)
    cameras = [replace(c, T_global_ego=T) for c, T in zip(scene.cameras, new.poses_at(at), strict=True)]
    tracks = []
    for track in scene.tracks:
        stamps = track.timestamps_us.astype(np.float64)
        moved = new.poses_at(stamps) @ se3.inverse(old.poses_at(stamps)) @ track.T_global_box
        tracks.append(replace(track, T_global_box=moved))
    return replace(scene, sweeps=tuple(sweeps), cameras=tuple(cameras), tracks=tuple(tracks))
