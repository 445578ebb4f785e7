"""Registration of annotated tracks to their objects' own points.

A manual annotation is off by a decimetre and a degree at each keyframe. At the true motion all sweeps show the same
surface in the object's frame. The correction is joint over the whole track (multi-view registration, pairs of points of
different times rather than one scan against a model, so that no wrong first model biases the rest), with the annotated
boxes as prior: where points do not constrain them, as along the side of a bus, they stay.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from densegt.accumulation.config import RefineTracksConfig, TracksConfig
from densegt.accumulation.measurements import Measurements
from densegt.accumulation.motion.points_in_boxes import SampledMotion, assign_to_boxes
from densegt.accumulation.motion.tracks import ContinuousTrack
from densegt.geometry import se3

Float64 = NDArray[np.float64]


@dataclass(frozen=True)
class ObjectPoints:
    """An object's points, each at its own time, in the frame of its annotated boxes.

    Attributes:
        xyz_box, normals_box: (N,3) m.
        along_box: (N,3), the unit vector to the left along the ring.
        side: (N,) 1 where the surface ends to the left, -1 where to the right, else 0.
        time_s: (N,) s.
        weights: (N,M) how much each of the track's M knots counts at these times.
        R_global_box: (N,3,3).
    """

    xyz_box: Float64
    normals_box: Float64
    along_box: Float64
    side: NDArray[np.int8]
    time_s: Float64
    weights: Float64
    R_global_box: Float64

    def __len__(self) -> int:
        return len(self.xyz_box)

    def take(self, rows: NDArray[np.intp] | slice) -> ObjectPoints:
        """Some of them."""
        return ObjectPoints(
            self.xyz_box[rows],
            self.normals_box[rows],
            self.along_box[rows],
            self.side[rows],
            self.time_s[rows],
            self.weights[rows],
            self.R_global_box[rows],
        )

    def corrected(self, correction: Float64) -> ObjectPoints:
        """The same where knots are moved by a correction (M,4): x, y, z m in global, then yaw rad."""
        at = self.weights @ correction
        shift_box = np.einsum("nji,nj->ni", self.R_global_box, at[:, :3])
        c, s = np.cos(at[:, 3]), np.sin(at[:, 3])
        return replace(
            self,
            xyz_box=_turn_back(self.xyz_box - shift_box, c, s),
            normals_box=_turn_back(self.normals_box, c, s),
            along_box=_turn_back(self.along_box, c, s),
        )


def _turn_back(v: Float64, c: Float64, s: Float64) -> Float64:
    return np.column_stack([c * v[:, 0] + s * v[:, 1], c * v[:, 1] - s * v[:, 0], v[:, 2]])


def refine_tracks(
    tracks: Sequence[ContinuousTrack], measured: Measurements, config: TracksConfig
) -> list[ContinuousTrack]:
    """Each track registered to its points where that explains them better, else unchanged."""
    refine = config.refine
    if not tracks or not refine.enabled:
        return list(tracks)
    wider = {"margin_m": refine.margin_m, "ground_clearance_m": refine.ground_clearance_m}
    motion = SampledMotion.of(tracks, measured)
    larger = [replace(track, size_lwh_m=track.size_lwh_m * (1 + refine.margin_share)) for track in tracks]
    owner = assign_to_boxes(measured, larger, motion, config.model_copy(update=wider))
    return [refine_track(track, measured, np.flatnonzero(owner == k), refine) for k, track in enumerate(tracks)]


def refine_track(
    track: ContinuousTrack, measured: Measurements, rows: NDArray[np.intp], config: RefineTracksConfig
) -> ContinuousTrack:
    """One track registered to the points of some rows, or unchanged where that is no better."""
    if len(track.knots_us) < 2 or len(rows) < config.min_points:
        return track
    rows = np.random.default_rng(0).permutation(rows)[: 2 * config.points]
    points = object_points(track, measured, rows)
    fit, held = points.take(slice(0, None, 2)), points.take(slice(1, None, 2))
    within_s = config.deforming_within_s if track.deforming else np.inf
    correction = register(fit, config, within_s=within_s)
    if np.abs(correction[:, :3]).max() > config.max_m:
        return track
    before, after = (misfit(fit, held, c, config, within_s=within_s) for c in (np.zeros_like(correction), correction))
    gain = before - after
    certain = 2 * gain.std() / np.sqrt(len(gain))
    return moved(track, correction) if gain.mean() > max(config.min_gain * before.mean(), certain) else track


def object_points(track: ContinuousTrack, measured: Measurements, rows: NDArray[np.intp]) -> ObjectPoints:
    """The points of some rows in the track's frame."""
    surfels = measured.surfels
    t_us = measured.start_us + surfels.time_s[rows].astype(np.float64) * 1e6
    T_global_box = track.poses_at(t_us)
    R = T_global_box[:, :3, :3]
    xyz = surfels.xyz[rows] + measured.origin_global_m - T_global_box[:, :3, 3]
    normals = np.cross(surfels.tangents[rows, 0], surfels.tangents[rows, 1]).astype(np.float64)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True) + 1e-9
    half_m = surfels.half_m[rows]
    ends = half_m[:, :2] == 0
    return ObjectPoints(
        xyz_box=_into(R, xyz),
        normals_box=_into(R, normals),
        along_box=_into(R, surfels.tangents[rows, 0].astype(np.float64)),
        side=np.where(ends.all(axis=1), 0, ends[:, 0].astype(np.int8) - ends[:, 1]).astype(np.int8),
        time_s=surfels.time_s[rows].astype(np.float64),
        weights=track.weights_at(t_us),
        R_global_box=R,
    )


def _into(R_global_box: Float64, v_global: Float64) -> Float64:
    return np.asarray(np.einsum("nji,nj->ni", R_global_box, v_global))


def register(points: ObjectPoints, config: RefineTracksConfig, *, within_s: float) -> Float64:
    """The correction (M,4) of the knots that brings points of different times onto one another."""
    knots = points.weights.shape[1]
    prior = np.tile(1.0 / np.array([*config.sigma_m, np.deg2rad(config.sigma_deg)]) ** 2, knots)
    correction = np.zeros((knots, 4))
    for scale_m in np.geomspace(config.coarse_m, config.fine_m, config.iterations):
        now = points.corrected(correction)
        normal, gradient = np.diag(prior), prior * correction.ravel()
        for i, j, direction in (surfaces(now, config, within_s), outlines(now, config, within_s)):
            residual = (direction * (now.xyz_box[i] - now.xyz_box[j])).sum(axis=1)
            J = (slopes(now, i, direction) - slopes(now, j, direction)).reshape(len(i), 4 * knots)
            # Geman-McClure; a point in many pairs counts no more than one in few.
            weight = (scale_m**2 / (scale_m**2 + residual**2)) ** 2 / config.pair_sigma_m**2
            weight /= np.bincount(i, minlength=len(points))[i]
            JW = J * weight[:, None]
            normal += JW.T @ J
            gradient += JW.T @ residual
        correction = correction - np.linalg.solve(normal, gradient).reshape(knots, 4)
    return correction


Pairs = tuple[NDArray[np.intp], NDArray[np.intp], Float64]


def surfaces(now: ObjectPoints, config: RefineTracksConfig, within_s: float) -> Pairs:
    """Pairs of points (P,), (P,) of one surface, and its normals (P,3), along which they should not differ."""
    i, j = pairs(now.xyz_box, now.time_s, config, within_s)
    a, b = now.normals_box[i], now.normals_box[j]
    cosine = (a * b).sum(axis=1)
    alike = np.abs(cosine) > config.min_cosine
    normal = a + b * np.sign(cosine)[:, None]
    normal /= np.linalg.norm(normal, axis=1, keepdims=True) + 1e-9
    return i[alike], j[alike], normal[alike]


def outlines(now: ObjectPoints, config: RefineTracksConfig, within_s: float) -> Pairs:
    """Pairs of points where a surface ends to one side; they should not differ along the ring.

    Of a car seen from behind nothing else constrains its lateral position.
    """
    pairs_of_side = []
    for side in (-1, 1):
        rows = np.flatnonzero(now.side == side)
        i, j = pairs(now.xyz_box[rows], now.time_s[rows], config, within_s)
        pairs_of_side.append((rows[i], rows[j]))
    i, j = (np.concatenate(part) for part in zip(*pairs_of_side, strict=True))
    return i, j, now.along_box[i]


def pairs(
    xyz: Float64, time_s: Float64, config: RefineTracksConfig, within_s: float
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Points (P,), (P,) that lie near one another and are of different sweeps, but not too far apart in time."""
    if len(xyz) == 0:
        return np.zeros(0, dtype=np.intp), np.zeros(0, dtype=np.intp)
    places = in_time(xyz, time_s, config, within_s)
    distance, j = cKDTree(places).query(places, k=config.neighbours + 1, distance_upper_bound=config.reach_m)
    i = np.repeat(np.arange(len(xyz)), j.shape[1])
    near = np.isfinite(distance.ravel())
    i, j = i[near], j.ravel()[near]
    other = np.abs(time_s[i] - time_s[j]) > config.apart_s
    return i[other], j[other]


def in_time(xyz: Float64, time_s: Float64, config: RefineTracksConfig, within_s: float) -> Float64:
    """Places (N,4) with time as another axis, on which `within_s` is as far as `reach_m`."""
    return np.column_stack([xyz, time_s * (config.reach_m / within_s)])


def slopes(now: ObjectPoints, rows: NDArray[np.intp], direction: Float64) -> Float64:
    """How the places of points (P,) along directions (P,3) change with each knot's correction, (P,M,4)."""
    along = -np.einsum("nij,nj->ni", now.R_global_box[rows], direction)
    turn = direction[:, 0] * now.xyz_box[rows, 1] - direction[:, 1] * now.xyz_box[rows, 0]
    per_pose = np.column_stack([along, turn])
    out: Float64 = now.weights[rows][:, :, None] * per_pose[:, None, :]
    return out


def misfit(
    fit: ObjectPoints, held: ObjectPoints, correction: Float64, config: RefineTracksConfig, *, within_s: float
) -> Float64:
    """How far points held back lie from the others' surface, and outlines from their outlines, m."""
    model, held_out = fit.corrected(correction), held.corrected(correction)
    parts = [_misfit(model, held_out, model.normals_box, config, within_s)]
    for side in (-1, 1):
        ends, held_ends = (s.take(np.flatnonzero(s.side == side)) for s in (model, held_out))
        parts.append(_misfit(ends, held_ends, ends.along_box, config, within_s))
    return np.concatenate(parts)


def _misfit(
    model: ObjectPoints, held_out: ObjectPoints, direction: Float64, config: RefineTracksConfig, within_s: float
) -> Float64:
    """How far each point (N,) lies from the model's next, on average along their directions; `reach_m` without any."""
    if not len(model) or not len(held_out):
        return np.zeros(0)
    tree = cKDTree(in_time(model.xyz_box, model.time_s, config, within_s))
    places = in_time(held_out.xyz_box, held_out.time_s, config, within_s)
    distance, near = tree.query(places, k=config.neighbours, distance_upper_bound=config.reach_m)
    met = np.isfinite(distance)
    near = np.where(met, near, 0)
    met &= np.abs(held_out.time_s[:, None] - model.time_s[near]) > config.apart_s
    off = np.abs((direction[near] * (held_out.xyz_box[:, None] - model.xyz_box[near])).sum(axis=2))
    mean = np.where(met, off, 0.0).sum(axis=1) / np.maximum(met.sum(axis=1), 1)
    return np.where(met.any(axis=1), mean, config.reach_m)


def moved(track: ContinuousTrack, correction: Float64) -> ContinuousTrack:
    """The track with its knots corrected by (M,4)."""
    T = track.T_global_box.copy()
    for k, (x, y, z, yaw) in enumerate(correction):
        T[k] = T[k] @ se3.from_yaw(yaw, [0, 0, 0])
        T[k, :3, 3] += [x, y, z]
    return replace(track, T_global_box=T)
