"""People and two-wheelers that move: boxes of usual sizes on discovered tracks; nothing is fitted to what deforms."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import astuple, dataclass, fields

import numpy as np
from numpy.typing import NDArray

from densegt.accumulation.motion.tracks import ContinuousTrack
from densegt.accumulation.surfels import Surfels
from densegt.autolabel.evidence import SceneEvidence
from densegt.autolabel.labels import BoxOverTime
from densegt.geometry import se3

Float64 = NDArray[np.float64]

# Usual sizes, m: means of nuScenes' boxes (H. Caesar et al., 2020).
SIZES_LWH_M = {
    "human.pedestrian.adult": (0.73, 0.67, 1.77),
    "vehicle.bicycle": (1.70, 0.60, 1.50),
    "vehicle.motorcycle": (2.11, 0.77, 1.60),
}
# Whoever is faster does not walk; whoever is faster still does not pedal. Longer than this is no walker.
RUNNING_MPS, PEDALLING_MPS, STRIDE_M = 3.2, 8.0, 1.25
# What is seen of the height may be less than all of it, but not by so much.
LEAST_HEIGHT = 0.75


@dataclass(frozen=True)
class PersonFigures:
    """What speaks for a track to be of one person or two-wheeler.

    Attributes:
        points: natural logarithm of how many; sweeps: of how many sweeps have some.
        length, width, height: m of the track's own box; narrow: share of points within the usual width of the middle.
        speed_mps: greatest; moved_m: how far it gets; range_m: nearest; low: share of its points under 0.6 m.
    """

    points: float
    sweeps: float
    length: float
    width: float
    height: float
    narrow: float
    speed_mps: float
    moved_m: float
    range_m: float
    low: float


FIGURES = tuple(field.name for field in fields(PersonFigures))


@dataclass(frozen=True)
class PersonCandidate:
    """A track that may be of a person or two-wheeler: its box over time, and what speaks for it."""

    category: str
    box: BoxOverTime
    figures: PersonFigures

    @property
    def row(self) -> Float64:
        """(K,) in order of `FIGURES`."""
        return np.array(astuple(self.figures), dtype=np.float64)


def person_candidates(evidence: SceneEvidence, least_points: int) -> Iterator[PersonCandidate]:
    """Of discovered tracks of what deforms."""
    for track, surfels in evidence.movers:
        if track.deforming and len(surfels) >= least_points:
            yield person_candidate(evidence, track, surfels)


def person_candidate(evidence: SceneEvidence, track: ContinuousTrack, surfels: Surfels) -> PersonCandidate:
    """A box of the usual size about the middle of a track's points, along its motion, on the ground."""
    xyz = surfels.xyz.astype(np.float64)
    speed = _speed_mps(track)
    category = _category(track, speed)
    size = np.array(SIZES_LWH_M[category])
    middle = np.median(xyz[:, :2], axis=0)
    h = xyz[:, 2] + track.size_lwh_m[2] / 2
    size[2] = np.clip(np.quantile(h, 0.98), LEAST_HEIGHT * size[2], 1.2 * size[2])
    T = se3.from_yaw(0.0, [*middle, (size[2] - track.size_lwh_m[2]) / 2])
    xy = track.T_global_box[:, :2, 3] - evidence.measured.origin_global_m[:2]
    figures = PersonFigures(
        points=float(np.log1p(len(xyz))),
        sweeps=float(np.log1p(len(np.unique(surfels.sweep)))),
        length=float(track.size_lwh_m[0]),
        width=float(track.size_lwh_m[1]),
        height=float(np.quantile(h, 0.98)),
        narrow=float((np.abs(xyz[:, 1] - middle[1]) < size[1] / 2).mean()),
        speed_mps=min(speed, 15.0),
        moved_m=min(float(np.linalg.norm(xy - xy[0], axis=1).max()), 10.0),
        range_m=min(evidence.range_of(place) for place in xy),
        low=float((h < 0.6).mean()),
    )
    return PersonCandidate(category, BoxOverTime(size, T, track), figures)


def _category(track: ContinuousTrack, speed_mps: float) -> str:
    if max(track.size_lwh_m[:2]) < STRIDE_M and speed_mps < RUNNING_MPS:
        return "human.pedestrian.adult"
    return "vehicle.bicycle" if speed_mps < PEDALLING_MPS else "vehicle.motorcycle"


def _speed_mps(track: ContinuousTrack) -> float:
    """The mean speed over all of its time."""
    if len(track.knots_us) < 2:
        return 0.0
    step = np.linalg.norm(np.diff(track.T_global_box[:, :2, 3], axis=0), axis=1)
    return float(step.sum() / ((track.knots_us[-1] - track.knots_us[0]) * 1e-6))
