"""Labels: boxes over time of what was found, each with its shape and how probably it is right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from densegt.accumulation.motion.tracks import ContinuousTrack
from densegt.autolabel.candidates import Candidate
from densegt.autolabel.evidence import SceneEvidence
from densegt.datasets.scene import ObjectKind, Sweep, Track
from densegt.geometry import se3
from densegt.kernels.rotated_overlap import rotated_overlap
from densegt.shapes.decoder import CODE

Float64 = NDArray[np.float64]

CATEGORIES = {"car": "vehicle.car", "van": "vehicle.car", "truck": "vehicle.truck", "bus": "vehicle.bus.rigid"}
TWO_WHEELERS = ("vehicle.bicycle", "vehicle.motorcycle")
# Two objects do not share more of the smaller one's ground than this.
SHARED = 0.15
# For how long a path is followed beyond its ends, and over how long a gap in it; parked vehicles have two knots.
MAX_EXTRAPOLATION_S, MAX_GAP_S = 0.2, 1e4


@dataclass(frozen=True)
class Label:
    """A box at each keyframe (K) in which its object was measured.

    Attributes:
        token: its name within the scene.
        size_lwh_m: (3,); T_global_box: (K,4,4) at the stamps of the keyframes' sweeps.
        velocity_mps: (K,2) in global.
        points: (K,) measured points of the keyframe's sweeps in the box.
        probability: that the box overlaps its object by at least a half, seen from above.
        family: of its shape, "" where it has none; code: (8,); T_box_shape: (4,4).
        knots_us: (M,) times of its whole path, M > 1; T_global_knots: (M,4,4) box poses then.
    """

    token: str
    category: str
    size_lwh_m: Float64
    sample_tokens: tuple[str, ...]
    T_global_box: Float64
    velocity_mps: Float64
    points: NDArray[np.int64]
    probability: float
    verified: bool
    family: str
    code: Float64
    T_box_shape: Float64
    knots_us: NDArray[np.int64]
    T_global_knots: Float64

    @property
    def track(self) -> Track:
        """Its path as an annotated object's."""
        kind = ObjectKind.RIGID_VEHICLE
        if self.category.startswith("human"):
            kind = ObjectKind.PERSON
        elif self.category in TWO_WHEELERS:
            kind = ObjectKind.TWO_WHEELER
        return Track(self.token, self.category, kind, self.size_lwh_m, self.knots_us, self.T_global_knots)

    @property
    def continuous(self) -> ContinuousTrack:
        """Where its box is at any time."""
        return ContinuousTrack(
            self.token, self.category, self.size_lwh_m, False, self.knots_us, self.T_global_knots,
            MAX_EXTRAPOLATION_S, MAX_GAP_S,
        )  # fmt: skip


class Shape(NamedTuple):
    """A label's shape: its family, code (8,), and where the box's middle lies along it, m."""

    family: str
    code: Float64
    middle_x_m: float


NO_SHAPE = Shape("", np.zeros(CODE), 0.0)


@dataclass(frozen=True)
class BoxOverTime:
    """Where a candidate's box is at any time.

    Attributes:
        T_frame_box: (4,4) in its frame: that of its track's box, or upright in global.
    """

    size_lwh_m: Float64
    T_frame_box: Float64
    track: ContinuousTrack | None

    @classmethod
    def of(cls, candidate: Candidate, evidence: SceneEvidence, mirrors_m: float) -> BoxOverTime:
        """A candidate's box, wider than its shape by the mirrors."""
        fit, track = candidate.fit, candidate.track
        size = fit.size_lwh_m + np.array([0.0, mirrors_m, 0.0])
        x, y = fit.middle
        if track is None:
            assert candidate.origin is not None
            x, y = candidate.origin + np.array([x, y])
            ground = float(evidence.ground.under(np.array([[x, y]]))[0])
            middle = np.array([x, y, ground + fit.dz + size[2] / 2]) + evidence.measured.origin_global_m
        else:
            middle = np.array([x, y, fit.dz + (size[2] - track.size_lwh_m[2]) / 2])
        return cls(size, se3.from_yaw(fit.yaw, middle), track)

    def poses_at(self, t_us: Float64) -> Float64:
        """T_global_box (N,4,4)."""
        if self.track is None:
            return np.repeat(self.T_frame_box[None], len(t_us), axis=0)
        out: Float64 = self.track.poses_at(t_us) @ self.T_frame_box
        return out

    def known_at(self, t_us: Float64) -> NDArray[np.bool_]:
        """Which times (N,) it can speak for."""
        return np.ones(len(t_us), dtype=np.bool_) if self.track is None else self.track.known_at(t_us)

    def knots_us(self, evidence: SceneEvidence) -> NDArray[np.int64]:
        """Times (M,) between which it moves smoothly: its track's, or the scene's first and last."""
        if self.track is not None and len(self.track.knots_us) > 1:
            return self.track.knots_us
        stamps = [sweep.timestamp_us for sweep in evidence.scene.sweeps]
        # A scene of one sweep: a moment is all that it can speak for.
        return np.array([min(stamps), max(max(stamps), min(stamps) + 1)], dtype=np.int64)

    def rectangles(self, t_us: Float64) -> Float64:
        """x, y, length, width, yaw (N,5) in global; not finite where it is not known."""
        T = self.poses_at(t_us)
        out = np.empty((len(t_us), 5))
        out[:, :2], out[:, 2:4] = T[:, :2, 3], self.size_lwh_m[:2]
        out[:, 4] = np.arctan2(T[:, 1, 0], T[:, 0, 0])
        out[~self.known_at(t_us)] = np.nan
        return out


def without_overlaps(boxes: Sequence[BoxOverTime], probability: Float64, t_us: Float64) -> list[int]:
    """Which boxes to keep, the likeliest first: none covers the ground of a likelier one at any of the times (N,)."""
    kept: list[int] = []
    places = [box.rectangles(t_us) for box in boxes]
    for k in np.argsort(-probability, kind="stable").tolist():
        if not any(_share_ground(places[k], places[other]) for other in kept):
            kept.append(k)
    return kept


def _share_ground(a: Float64, b: Float64) -> bool:
    near = np.flatnonzero(np.abs(a[:, :2] - b[:, :2]).max(axis=1) < 15.0)
    for k in near:
        shared = np.zeros((1, 1))
        rotated_overlap(a[k : k + 1], b[k : k + 1], shared)
        if shared[0, 0] > SHARED * min(a[k, 2] * a[k, 3], b[k, 2] * b[k, 3]):
            return True
    return False


@dataclass(frozen=True)
class Found:
    """What may become a label: its box, what it is, and how probably that is right."""

    box: BoxOverTime
    category: str
    probability: float
    shape: Shape = NO_SHAPE


def vehicle(candidate: Candidate, box: BoxOverTime, probability: float) -> Found:
    """A candidate that may become a label."""
    fit = candidate.fit
    return Found(box, CATEGORIES[fit.family], probability, Shape(fit.family, fit.code, fit.middle_x_m))


def label(token: str, found: Found, evidence: SceneEvidence, *, verified: bool) -> Label | None:
    """The label of what was found; None where no keyframe's sweep holds a point of it."""
    box, keyframes = found.box, {s.sample_token: s for s in evidence.scene.sweeps if s.is_keyframe}
    stamps = np.array([sweep.timestamp_us for sweep in keyframes.values()], dtype=np.float64)
    T, known = box.poses_at(stamps), box.known_at(stamps)
    points = np.array([_points_in(box, sweep, evidence) for sweep in keyframes.values()])
    rows = np.flatnonzero(known & (points > 0))
    if not len(rows):
        return None
    velocity = (box.poses_at(stamps + 5e3)[:, :2, 3] - box.poses_at(stamps - 5e3)[:, :2, 3]) / 0.01
    tokens, knots_us, (family, code, middle_x_m) = list(keyframes), box.knots_us(evidence), found.shape
    return Label(
        token=token,
        category=found.category,
        size_lwh_m=box.size_lwh_m,
        sample_tokens=tuple(tokens[k] for k in rows),
        T_global_box=T[rows],
        velocity_mps=velocity[rows],
        points=points[rows],
        probability=found.probability,
        verified=verified,
        family=family,
        code=code,
        T_box_shape=se3.from_yaw(0.0, [-middle_x_m, 0.0, -box.size_lwh_m[2] / 2]),
        knots_us=knots_us,
        T_global_knots=box.poses_at(knots_us.astype(np.float64)),
    )


def _points_in(box: BoxOverTime, keyframe: Sweep, evidence: SceneEvidence) -> int:
    """Points of a keyframe's sweeps in a box, at their own times as far as one pose a sweep tells."""
    measured, sweeps = evidence.measured, evidence.scene.sweeps
    count = 0
    for k, sweep in enumerate(sweeps):
        if sweep.is_keyframe and sweep.sample_token == keyframe.sample_token:
            rows = slice(int(measured.first[k]), int(measured.first[k + 1]))
            T = box.poses_at(np.array([measured.start_us + measured.middle_s[k] * 1e6]))[0]
            T[:3, 3] -= measured.origin_global_m
            near = measured.surfels.xyz[rows]
            near = near[np.abs(near[:, :2] - T[:2, 3]).max(axis=1) < np.linalg.norm(box.size_lwh_m)]
            local = se3.apply(se3.inverse(T), near)
            low = box.size_lwh_m[2] / 2 - 0.15
            count += int(((np.abs(local) <= box.size_lwh_m / 2) & (local[:, 2:] > -low)).all(axis=1).sum())
    return count
