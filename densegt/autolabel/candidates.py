"""Candidates: fits of everything that may be a vehicle, each with how it agrees with what was measured."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from densegt.accumulation.motion.tracks import ContinuousTrack
from densegt.autolabel.boxes_2d import ImageObjects
from densegt.autolabel.config import AutolabelConfig
from densegt.autolabel.evidence import SceneEvidence
from densegt.autolabel.fit import ShapeFit, Start, fit_shape
from densegt.autolabel.frusta import frustum_proposals
from densegt.autolabel.object_evidence import LARGE_M, TALL_M, moving_object, standing_object
from densegt.autolabel.proposals import Proposal, bev_maps, propose
from densegt.autolabel.verification import Agreement, Circumstances, agreement
from densegt.shapes.prior import ShapePrior

Float64 = NDArray[np.float64]

# Slower than this an object's motion does not tell which way it faces.
FACING_MPS = 1.0
# Of a vehicle at least so much is seen of its length or width: one end alone looks like a two-wheeler across its path.
LEAST_M = 1.4


@dataclass(frozen=True)
class Candidate:
    """A fit that may be a vehicle.

    Attributes:
        origin: (2,) m of the object's frame in global minus the scene's origin; None for what moves.
        track: of what moves, in whose box frame the shape stands still.
    """

    fit: ShapeFit
    agreement: Agreement
    points: int
    origin: Float64 | None
    track: ContinuousTrack | None


def standing_candidates(
    evidence: SceneEvidence, prior: ShapePrior, config: AutolabelConfig, objects: ImageObjects | None = None
) -> Iterator[Candidate]:
    """Of what stands, the best proposals first; then those of images."""
    proposals = propose(bev_maps(evidence, config.proposals), config.proposals)
    if objects is not None:
        proposals += frustum_proposals(evidence, objects)
    for number, proposal in enumerate(proposals):
        seen = standing_object(evidence, proposal)
        if seen.measured < config.least_points:
            continue
        fit = fit_shape(prior, seen, standing_starts(proposal), config.fit, seed=number)
        origin = np.array([proposal.x, proposal.y])
        known = Circumstances(proposal.score, 0.0, evidence.range_of(origin))
        yield Candidate(fit, agreement(prior, seen, fit, known), seen.measured, origin, None)


def standing_starts(proposal: Proposal) -> list[Start]:
    """Both ways round, and across where that does almost as well."""
    yaws = [proposal.yaw, proposal.yaw + np.pi, *proposal.others_rad]
    return [Start(0.0, 0.0, float(yaw), family) for family in proposal.template.families for yaw in yaws]


def moving_candidates(evidence: SceneEvidence, prior: ShapePrior, config: AutolabelConfig) -> Iterator[Candidate]:
    """Of discovered tracks that may be vehicles."""
    for number, (track, surfels) in enumerate(evidence.movers):
        if max(track.size_lwh_m[:2]) < LEAST_M or len(surfels) < config.least_points:
            continue
        seen = moving_object(evidence, track, surfels)
        fit = fit_shape(prior, seen, moving_starts(track), config.fit, seed=number)
        xy = track.T_global_box[:, :2, 3] - evidence.measured.origin_global_m[:2]
        range_m = min(evidence.range_of(place) for place in xy)
        known = Circumstances(0.0, float(np.linalg.norm(xy - xy[0], axis=1).max()), range_m)
        yield Candidate(fit, agreement(prior, seen, fit, known), seen.measured, None, track)


def moving_starts(track: ContinuousTrack) -> list[Start]:
    """Along the motion, where the box is and shifted along it: of some only one end is seen."""
    length, _, height = track.size_lwh_m
    large = length > LARGE_M or height > TALL_M
    families, half = (("truck", "van", "bus"), 3.5) if large else (("car", "van"), 2.2)
    shift = max(half - length / 2, 0.0)
    yaws = (0.0,) if speed_mps(track) > FACING_MPS else (0.0, np.pi)
    shifts = (0.0, shift, -shift) if shift > 0.4 else (0.0,)
    return [Start(x, 0.0, yaw, family) for family in families for yaw in yaws for x in shifts]


def speed_mps(track: ContinuousTrack) -> float:
    """The greatest speed between its knots."""
    if len(track.knots_us) < 2:
        return 0.0
    step = np.linalg.norm(np.diff(track.T_global_box[:, :2, 3], axis=0), axis=1)
    return float((step / (np.diff(track.knots_us) * 1e-6)).max())
