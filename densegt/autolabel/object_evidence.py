"""What was measured of one object and about it, in a frame in which it stands still."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from densegt.accumulation.motion.tracks import ContinuousTrack
from densegt.accumulation.surfels import Surfels
from densegt.autolabel.evidence import SceneEvidence
from densegt.autolabel.frames import Frame, MovingFrame, StandingFrame
from densegt.autolabel.proposals import Proposal

Float64 = NDArray[np.float64]

# Points this near to an outline may be of its object or tell where it ends.
ABOUT_M = 0.8
LOWEST_M, HIGHEST_M = 0.2, 4.2
# Points of one surface in such a cell count as one.
THIN_M = 0.12
# Places that are asked whether beams pass through: heights below windows, and how far apart.
FREE_H_M, FREE_STEP_M = (0.45, 0.7, 0.95), 0.3
# Larger than this it may be a lorry or a bus; and how long cars and lorries may be.
LARGE_M, TALL_M = 6.2, 2.3
LONGEST_M, LONGEST_LARGE_M = 5.5, 13.0


@dataclass(frozen=True)
class ObjectEvidence:
    """Points on and about one object, heights above the ground.

    Attributes:
        xyh: (N,3) m in the frame's axes, thinned; weight: (N,) measured points that each stands for.
        normal: (N,3) of the surface there, either way round.
        free: (M,3) m, places that beams pass through.
        frame: to ask beams about further places; none where nobody can be asked.
        measured: points before thinning.
    """

    xyh: Float64
    weight: Float64
    normal: Float64
    free: Float64
    frame: Frame | None
    measured: int


def standing_object(evidence: SceneEvidence, proposal: Proposal) -> ObjectEvidence:
    """Of what stands at a proposal; the frame's origin is its middle."""
    template, middle = proposal.template, np.array([proposal.x, proposal.y])
    reach = np.hypot(template.length_m, template.width_m) / 2 + ABOUT_M
    near = evidence.near(middle, reach)
    xyh = evidence.xyh[near].astype(np.float64)
    xyh[:, :2] -= middle
    half = np.array([template.length_m, template.width_m]) / 2 + ABOUT_M
    inside = (np.abs(turned(xyh[:, :2], -proposal.yaw)) < half).all(axis=1)
    kept = inside & (xyh[:, 2] > LOWEST_M) & (xyh[:, 2] < HIGHEST_M)
    tangents = evidence.measured.surfels.tangents[evidence.row[near[kept]]]
    xyh = xyh[kept]
    thin, weight, first = thinned(xyh)
    frame = StandingFrame(evidence, middle)
    free = free_places(frame, half, proposal.yaw)
    return ObjectEvidence(thin, weight, normals(tangents[first]), free, frame, len(xyh))


def moving_object(evidence: SceneEvidence, track: ContinuousTrack, surfels: Surfels) -> ObjectEvidence:
    """Of a discovered track, in its box's frame: each point was carried there from its own time."""
    xyh = surfels.xyz.astype(np.float64)
    xyh[:, 2] += track.size_lwh_m[2] / 2
    kept = xyh[:, 2] > LOWEST_M
    thin, weight, first = thinned(xyh[kept])
    normal = normals(surfels.tangents[kept][first])
    frame = MovingFrame(evidence, track)
    length, width, height = track.size_lwh_m
    # The end that was not seen may be as far away as a vehicle of its size is long.
    longest = LONGEST_LARGE_M if length > LARGE_M or height > TALL_M else LONGEST_M
    half = np.array([max(longest - length / 2, length / 2), width / 2 + ABOUT_M]) + ABOUT_M
    return ObjectEvidence(thin, weight, normal, free_places(frame, half, 0.0), frame, len(xyh))


def free_places(frame: Frame, half: Float64, yaw: float) -> Float64:
    """Places (M,3) about the middle of a frame that beams passed through, and hardly any met something."""
    u, v, h = np.meshgrid(*(np.arange(-n, n + 1e-6, FREE_STEP_M) for n in half), FREE_H_M, indexing="ij")
    xyh = np.column_stack([turned(np.column_stack([u.ravel(), v.ravel()]), yaw), h.ravel()])
    passed, met = frame.votes(xyh)
    out: Float64 = xyh[(passed >= 2) & (passed > 3 * met)]
    return out


def normals(tangents: NDArray[np.float32]) -> Float64:
    """Unit normals (N,3) of surfels with these tangents (N,2,3)."""
    out = np.cross(tangents[:, 0], tangents[:, 1]).astype(np.float64)
    normal: Float64 = out / np.maximum(np.linalg.norm(out, axis=1, keepdims=True), 1e-6)
    return normal


def thinned(xyh: Float64) -> tuple[Float64, Float64, NDArray[np.intp]]:
    """The mean point of each cell of `THIN_M`, how many points it is of, and the first of them."""
    if not len(xyh):
        return np.zeros((0, 3)), np.zeros(0), np.zeros(0, dtype=np.intp)
    cell = np.floor(xyh / THIN_M).astype(np.int64)
    cell -= cell.min(axis=0)
    size = cell.max(axis=0) + 1
    _, first, of, count = np.unique(
        (cell[:, 0] * size[1] + cell[:, 1]) * size[2] + cell[:, 2],
        return_index=True, return_inverse=True, return_counts=True,
    )  # fmt: skip
    mean = np.column_stack([np.bincount(of.ravel(), xyh[:, k], minlength=len(count)) for k in range(3)])
    return mean / count[:, None], count.astype(np.float64), first


def turned(xy: Float64, yaw_rad: float) -> Float64:
    """Places (N,2) turned about the origin."""
    c, s = np.cos(yaw_rad), np.sin(yaw_rad)
    out: Float64 = xy @ np.array([[c, s], [-s, c]])
    return out
