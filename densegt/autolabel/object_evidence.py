"""What was measured of one object and about it, in a frame in which it stands still."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from densegt.accumulation.motion.tracks import ContinuousTrack
from densegt.accumulation.surfels import Surfels
from densegt.autolabel.evidence import SceneEvidence
from densegt.autolabel.proposals import Proposal

Float64 = NDArray[np.float64]

# Points this near to an outline may be of its object or tell where it ends.
ABOUT_M = 0.8
LOWEST_M, HIGHEST_M = 0.2, 4.2
# Points of one surface in such a cell count as one.
THIN_M = 0.12
# Places that are asked whether beams pass through: heights below windows, and how far apart.
FREE_H_M, FREE_STEP_M = (0.45, 0.7, 0.95), 0.3


@dataclass(frozen=True)
class ObjectEvidence:
    """Points on and about one object, heights above the ground.

    Attributes:
        xyh: (N,3) m in the frame's axes, thinned; weight: (N,) measured points that each stands for.
        free: (M,3) m, places that beams pass through.
        origin: (2,) m, the frame's origin in global minus the scene's origin; none for what moves.
        measured: points before thinning.
    """

    xyh: Float64
    weight: Float64
    free: Float64
    origin: Float64 | None
    measured: int


def standing_object(evidence: SceneEvidence, proposal: Proposal) -> ObjectEvidence:
    """Of what stands at a proposal; the frame's origin is its middle."""
    template, middle = proposal.template, np.array([proposal.x, proposal.y])
    reach = np.hypot(template.length_m, template.width_m) / 2 + ABOUT_M
    xyh = evidence.xyh[evidence.near(middle, reach)].astype(np.float64)
    xyh[:, :2] -= middle
    half = np.array([template.length_m, template.width_m]) / 2 + ABOUT_M
    inside = (np.abs(turned(xyh[:, :2], -proposal.yaw)) < half).all(axis=1)
    xyh = xyh[inside & (xyh[:, 2] > LOWEST_M) & (xyh[:, 2] < HIGHEST_M)]
    thin, weight = thinned(xyh)
    free = _free_places(evidence, proposal, half)
    return ObjectEvidence(thin, weight, free, middle, len(xyh))


def moving_object(track: ContinuousTrack, surfels: Surfels) -> ObjectEvidence:
    """Of a discovered track, in its box's frame: each point was carried there from its own time."""
    xyh = surfels.xyz.astype(np.float64)
    xyh[:, 2] += track.size_lwh_m[2] / 2
    thin, weight = thinned(xyh[xyh[:, 2] > LOWEST_M])
    return ObjectEvidence(thin, weight, np.zeros((0, 3)), None, len(xyh))


def _free_places(evidence: SceneEvidence, proposal: Proposal, half: Float64) -> Float64:
    """Places (M,3) about a proposal's middle that beams passed through, and hardly any met something."""
    u, v, h = np.meshgrid(*(np.arange(-n, n + 1e-6, FREE_STEP_M) for n in half), FREE_H_M, indexing="ij")
    xyh = np.column_stack([turned(np.column_stack([u.ravel(), v.ravel()]), proposal.yaw), h.ravel()])
    middle = np.array([proposal.x, proposal.y])
    passed, met = evidence.votes(xyh + np.array([*middle, 0.0]), evidence.asked_about(middle))
    out: Float64 = xyh[(passed >= 2) & (passed > 3 * met)]
    return out


def thinned(xyh: Float64) -> tuple[Float64, Float64]:
    """The mean point of each cell of `THIN_M`, and how many points it is of."""
    if not len(xyh):
        return np.zeros((0, 3)), np.zeros(0)
    cell = np.floor(xyh / THIN_M).astype(np.int64)
    cell -= cell.min(axis=0)
    size = cell.max(axis=0) + 1
    _, of, count = np.unique(
        (cell[:, 0] * size[1] + cell[:, 1]) * size[2] + cell[:, 2], return_inverse=True, return_counts=True
    )
    mean = np.column_stack([np.bincount(of.ravel(), xyh[:, k], minlength=len(count)) for k in range(3)])
    return mean / count[:, None], count.astype(np.float64)


def turned(xy: Float64, yaw_rad: float) -> Float64:
    """Places (N,2) turned about the origin."""
    c, s = np.cos(yaw_rad), np.sin(yaw_rad)
    out: Float64 = xy @ np.array([[c, s], [-s, c]])
    return out
