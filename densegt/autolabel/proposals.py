"""Where vehicles may stand: outlines of several sizes correlated with what was measured, seen from above."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft2, next_fast_len, rfft2
from scipy.ndimage import maximum_filter

from densegt.autolabel.config import ProposalConfig
from densegt.autolabel.evidence import SceneEvidence
from densegt.kernels.rotated_overlap import rotated_overlap

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]


class Template(NamedTuple):
    """An outline, m, and the families of the shape prior that may have it; tall: as high as a lorry."""

    length_m: float
    width_m: float
    families: tuple[str, ...]
    tall: bool


TEMPLATES = (
    Template(4.4, 1.85, ("car",), False),
    Template(5.6, 2.0, ("van", "car"), False),
    Template(7.5, 2.4, ("truck", "van"), True),
    Template(11.0, 2.55, ("bus", "truck"), True),
)
# Heights above the ground: of bodies, of what is too high for a car and for a lorry, and where beams must not pass.
BODY_M, HIGH_M, HIGHER_M, PASSED_M = (0.3, 2.2), (2.9, 6.0), (4.3, 8.0), (0.45, 0.75)
# Outlines that share more of the larger one's area than this are one proposal.
SAME = 0.5


@dataclass(frozen=True)
class Proposal:
    """Where a vehicle may stand: x, y m in global minus origin, yaw rad but for half a turn.

    Attributes:
        others_rad: further yaws that do almost as well.
    """

    x: float
    y: float
    yaw: float
    template: Template
    score: float
    others_rad: tuple[float, ...] = ()

    @property
    def rectangle(self) -> tuple[float, float, float, float, float]:
        """x, y, length, width, yaw."""
        return self.x, self.y, self.template.length_m, self.template.width_m, self.yaw


class BevMaps(NamedTuple):
    """What lies in cells (X,Y), 0 to 1: bodies, what goes on above a car and above a lorry, and empty space."""

    corner: Float64
    body: Float32
    wall: Float32
    high_wall: Float32
    free: Float32


def bev_maps(evidence: SceneEvidence, config: ProposalConfig) -> BevMaps:
    """Cells of `cell_m` around the lidar's path."""
    near = evidence.range_m <= config.max_range_m
    xyh = evidence.xyh[near]
    origin = evidence.measured.images.origin[:, :2].astype(np.float64)
    corner = origin.min(axis=0) - config.max_range_m
    shape = tuple(int(n) for n in np.ceil((origin.max(axis=0) + config.max_range_m - corner) / config.cell_m))
    cell = ((xyh[:, :2] - corner) / config.cell_m).astype(np.int64)
    inside = ((cell >= 0) & (cell < shape)).all(axis=1)
    flat, h = cell[inside, 0] * shape[1] + cell[inside, 1], xyh[inside, 2]

    def share(low: float, high: float, enough: int) -> Float32:
        some = flat[(h >= low) & (h < high)]
        counted = np.bincount(some, minlength=shape[0] * shape[1]).reshape(shape)
        return np.minimum(counted / enough, 1.0).astype(np.float32)

    body, high, higher = (share(*limits, 3) for limits in (BODY_M, HIGH_M, HIGHER_M))
    # Road points say nothing: beams meet the road under vehicles too.
    return BevMaps(corner, body, body * high, body * higher, _seen_through(evidence, corner, shape, config))


def _seen_through(evidence: SceneEvidence, corner: Float64, shape: tuple[int, ...], config: ProposalConfig) -> Float32:
    """Share (X,Y) of the heights `PASSED_M` at which beams pass through a cell, and hardly any ends there."""
    x, y = np.meshgrid(np.arange(shape[0]), np.arange(shape[1]), indexing="ij")
    xy = corner + (np.column_stack([x.ravel(), y.ravel()]) + 0.5) * config.cell_m
    asked = [int(k) for k in np.flatnonzero(evidence.measured.images.read)]
    asked = asked[:: max(1, len(asked) // 10)]
    out = np.zeros(len(xy), dtype=np.float32)
    for h in PASSED_M:
        passed, met = evidence.votes(np.column_stack([xy, np.full(len(xy), h)]), asked)
        out += ((passed >= 1) & (passed > 3 * met)) / len(PASSED_M)
    return out.reshape(shape)


def propose(maps: BevMaps, config: ProposalConfig) -> list[Proposal]:
    """Places that score best, none of which covers another, best first."""
    cell, (nx, ny) = config.cell_m, maps.body.shape
    room = int(np.ceil(max(t.length_m for t in TEMPLATES) / cell)) + 12
    size = (next_fast_len(nx + room, real=True), next_fast_len(ny + room, real=True))
    body, wall, high_wall, free = (rfft2(m, size) for m in maps[1:])
    yaws = np.deg2rad(np.arange(0, 180, config.yaw_step_deg))
    found: list[Proposal] = []
    for template in TEMPLATES:
        seen = (body, high_wall if template.tall else wall, free)
        best, best_yaw = np.full((nx, ny), -np.inf, np.float32), np.zeros((nx, ny), np.int32)
        for k, yaw in enumerate(yaws):
            kernels = outline_kernels(template, float(yaw), cell)
            half = kernels[0].shape[0] // 2
            total = sum(s * np.conj(rfft2(kernel, size)) for s, kernel in zip(seen, kernels, strict=True))
            score = np.roll(irfft2(total, size), (half, half), (0, 1))[:nx, :ny]
            better = score > best
            best[better], best_yaw[better] = score[better], k
        peak = (best == maximum_filter(best, 3)) & (best >= config.least_score)
        for i, j in zip(*np.nonzero(peak), strict=True):
            x, y = maps.corner + (np.array([i, j]) + 0.5) * cell
            found.append(Proposal(float(x), float(y), float(yaws[best_yaw[i, j]]), template, float(best[i, j])))
    return distinct(sorted(found, key=lambda p: -p.score), config.most)


def outline_kernels(template: Template, yaw: float, cell_m: float) -> tuple[Float32, Float32, Float32]:
    """What bodies, walls and free space in each cell (K,K) about the middle add to a vehicle's score."""
    half = int(np.ceil((template.length_m / 2 + 1.0) / cell_m))
    at = np.arange(-half, half + 1) * cell_m
    x, y = np.meshgrid(at, at, indexing="ij")
    c, s = np.cos(yaw), np.sin(yaw)
    u, v = np.abs(c * x + s * y) - template.length_m / 2, np.abs(-s * x + c * y) - template.width_m / 2
    outside = np.hypot(np.maximum(u, 0), np.maximum(v, 0))
    d = np.where(outside > 0, outside, np.maximum(u, v))
    # A side has so many cells; a vehicle shows about half of its outline.
    weight = cell_m / np.sqrt(template.length_m)
    body = np.exp(-0.5 * (d / 0.18) ** 2) + 0.25 * (d < -0.3) - 0.45 * ((d > 0.4) & (d < 0.8))
    wall = -1.5 * (d < 0.15)
    free = -0.8 * (d < -0.3) - 0.2 * ((d >= -0.3) & (d < -0.1)) + 0.1 * ((d > 0.3) & (d < 0.7))
    return tuple((weight * k).astype(np.float32) for k in (body, wall, free))


def distinct(found: list[Proposal], most: int) -> list[Proposal]:
    """The first of proposals, best first, that cover the same ground; others' yaws are kept with them."""
    rectangles = np.array([p.rectangle for p in found]).reshape(-1, 5)
    left = np.ones(len(found), dtype=np.bool_)
    kept: list[Proposal] = []
    for k, proposal in enumerate(found):
        if not left[k] or len(kept) == most:
            continue
        near = np.flatnonzero(left & (np.abs(rectangles[:, :2] - rectangles[k, :2]).max(axis=1) < 14.0))
        shared = np.zeros((1, len(near)))
        rotated_overlap(rectangles[k : k + 1], rectangles[near], shared)
        area = rectangles[:, 2] * rectangles[:, 3]
        same = near[shared[0] > SAME * np.maximum(area[k], area[near])]
        turned = [found[n].yaw for n in same if abs(np.sin(found[n].yaw - proposal.yaw)) > 0.4]
        others = tuple(turned[:1])
        kept.append(Proposal(proposal.x, proposal.y, proposal.yaw, proposal.template, proposal.score, others))
        left[same] = left[k] = False
    return kept
