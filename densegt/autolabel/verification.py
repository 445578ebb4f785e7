"""Whether a fit is to be believed: figures of how it agrees with all that was measured, and a probability from them."""

from __future__ import annotations

import json
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from densegt.autolabel.fit import ShapeFit
from densegt.autolabel.frames import Frame
from densegt.autolabel.object_evidence import ObjectEvidence, turned
from densegt.shapes.prior import ShapePrior
from densegt.shapes.surface import surface_points

Float64 = NDArray[np.float64]

ON_M, NEAR_M = 0.15, 0.05
SURFACE = 240


@dataclass(frozen=True)
class Agreement:
    """How a fit agrees with what was measured; shares are 0 to 1.

    Attributes:
        points: natural logarithm of how many thinned points lie on it.
        on: share of the points in and about the shape that lie on its surface.
        inside: share of those well inside; beside: share of those just outside, such as a wall that goes on.
        residual_m: mean distance of the points on it.
        met: share of its visible surface at which beams end; passed: of it all, what beams pass through.
        free: share of its body, below the windows, that beams pass through.
        code: mean square of the code's numbers, in deviations.
        gap: by how much the best other yaw fits worse.
        above: points above the shape, for each on it.
        sides: share of its outline, seen from above, that has points.
        seen: share of its surface that some beam met or passed; the rest is hidden.
        flip: by how much it fits worse when it faces backwards, at most 0.1.
        roof: share of the points on it that lie in its upper sixth.
        slant: mean cosine between its surface's normals and those of the points on it.
        near: share of the points on it that lie within 5 cm.
        image: how far 2D boxes in images confirm it, see `image_support`; a half where there are none.
        score: of the proposal; moved_m: of what moves, how far it gets; range_m: from the lidar, at the nearest.
    """

    points: float
    on: float
    inside: float
    beside: float
    residual_m: float
    met: float
    passed: float
    free: float
    code: float
    gap: float
    above: float
    sides: float
    seen: float
    flip: float
    roof: float
    score: float
    moved_m: float
    range_m: float
    length: float
    width: float
    height: float
    slant: float
    near: float
    image: float = 0.5


@dataclass(frozen=True)
class Circumstances:
    """What else is known of a candidate: see `Agreement`."""

    score: float = 0.0
    moved_m: float = 0.0
    range_m: float = 20.0


def agreement(prior: ShapePrior, seen: ObjectEvidence, fit: ShapeFit, known: Circumstances) -> Agreement:
    """Of a fit."""
    code = torch.from_numpy(fit.code).float()
    xyz = fit.into(seen.xyh)
    f, slope = _distances_and_slopes(prior, code, xyz)
    half = fit.size_lwh_m / 2
    low = xyz[:, 2] < fit.size_lwh_m[2] + 0.25
    about = low & (f < 0.5)
    on = about & (np.abs(f) < ON_M)
    count = max(int(about.sum()), 1)
    under = (np.abs(xyz[:, 0] - fit.middle_x_m) < half[0] - 0.2) & (np.abs(xyz[:, 1]) < half[1] - 0.2)
    free = _distances(prior, code, fit.into(seen.free)) if len(seen.free) else np.zeros(0)
    met, passed, visible = (0.5, 0.2, 0.5) if seen.frame is None else _surface_votes(prior, seen.frame, fit)
    yaw_gap = [g for yaw, g in fit.rivals if abs(np.sin(yaw - fit.yaw)) > 0.35]
    flip_gap = [g for yaw, g in fit.rivals if np.cos(yaw - fit.yaw) < -0.9]
    # As many places as are asked in a body of this size.
    places = max(float(fit.size_lwh_m[0] * fit.size_lwh_m[1]) / 0.3**2 * 3, 1.0)
    return Agreement(
        points=float(np.log1p(on.sum())),
        on=float(on.sum() / count),
        inside=float((about & (f < -ON_M)).sum() / count),
        beside=float((about & (f > ON_M)).sum() / count),
        residual_m=float(np.abs(f[on]).mean()) if on.any() else ON_M,
        met=met,
        passed=passed,
        free=float((free < -0.2).sum() / places),
        code=float(np.mean(fit.w**2)),
        gap=float(min([*yaw_gap, 0.3])),
        above=float(np.log1p((under & (xyz[:, 2] > fit.size_lwh_m[2] + 0.3)).sum() / max(int(on.sum()), 1))),
        sides=_sides(xyz[on], fit),
        seen=visible,
        flip=float(min([*flip_gap, 0.1])),
        roof=float((xyz[on, 2] > fit.size_lwh_m[2] * 5 / 6).mean()) if on.any() else 0.0,
        score=known.score,
        moved_m=min(known.moved_m, 20.0),
        range_m=known.range_m,
        length=float(fit.size_lwh_m[0]),
        width=float(fit.size_lwh_m[1]),
        height=float(fit.size_lwh_m[2]),
        slant=_slant(slope[on], seen.normal[on], fit.yaw),
        near=float((np.abs(f[on]) < NEAR_M).mean()) if on.any() else 0.0,
    )


def _distances(prior: ShapePrior, code: torch.Tensor, xyz: Float64) -> Float64:
    with torch.no_grad():
        out: Float64 = prior.decoder(code.expand(len(xyz), -1), torch.from_numpy(xyz).float()).double().numpy()
    return out


def _distances_and_slopes(prior: ShapePrior, code: torch.Tensor, xyz: Float64) -> tuple[Float64, Float64]:
    given = torch.from_numpy(xyz).float().requires_grad_(True)
    f = prior.decoder(code.expand(len(xyz), -1), given)
    (slope,) = torch.autograd.grad(f.sum(), given)
    return f.detach().double().numpy(), slope.double().numpy()


def _slant(slope: Float64, normal: Float64, yaw: float) -> float:
    """Mean cosine of slopes (N,3) in the shape frame and normals (N,3), either way round, in the object's frame."""
    if not len(slope):
        return 0.0
    local = np.column_stack([turned(normal[:, :2], -yaw), normal[:, 2]])
    cosine = np.abs((slope * local).sum(axis=1)) / np.maximum(np.linalg.norm(slope, axis=1), 1e-6)
    return float(np.minimum(cosine, 1.0).mean())


def _sides(xyz: Float64, fit: ShapeFit) -> float:
    """Share of the outline's bins of 10 degrees, about the middle, that hold points."""
    if not len(xyz):
        return 0.0
    angle = np.arctan2(xyz[:, 1] / fit.size_lwh_m[1], (xyz[:, 0] - fit.middle_x_m) / fit.size_lwh_m[0])
    return len(np.unique(np.floor(angle / (2 * np.pi) * 36).astype(int))) / 36


def _surface_votes(prior: ShapePrior, frame: Frame, fit: ShapeFit) -> tuple[float, float, float]:
    """Of beams' votes at its surface, the share that met it; shares of its places mostly passed, and seen at all."""
    xyz = surface_points(prior.decoder, fit.code, fit.size_lwh_m, SURFACE)
    xyz = xyz[(xyz[:, 2] > 0.35)]
    xy = turned(xyz[:, :2], fit.yaw) + np.array([fit.x, fit.y])
    passed, met = frame.votes(np.column_stack([xy, xyz[:, 2] + fit.dz]))
    votes = int(passed.sum() + met.sum())
    mostly_passed, visible = (passed > 1) & (passed > met), passed + met > 0
    places = max(len(xyz), 1)
    return float(met.sum() / max(votes, 1)), float(mostly_passed.sum() / places), float(visible.sum() / places)


@dataclass(frozen=True)
class Judge:
    """A logistic regression on agreements: mean and deviation of each figure, weights, bias.

    Attributes:
        names: of the figures, some of those of `Agreement`.
    """

    names: tuple[str, ...]
    mean: Float64
    deviation: Float64
    weight: Float64
    bias: float

    @classmethod
    def load(cls, path: Path) -> Judge:
        """From JSON."""
        said = json.loads(path.read_text())
        mean, deviation, weight = (np.array(said[key], dtype=np.float64) for key in ("mean", "deviation", "weight"))
        return cls(tuple(said["names"]), mean, deviation, weight, float(said["bias"]))

    def save(self, path: Path) -> None:
        """As JSON."""
        said: dict[str, Any] = {
            k: v.round(6).tolist() if isinstance(v, np.ndarray) else v for k, v in vars(self).items()
        }
        path.write_text(json.dumps(said, indent=1) + "\n")

    def probability(self, agreement: Agreement) -> float:
        """That the box overlaps its object by at least a half, seen from above."""
        return self.probability_of(as_row(agreement))

    def probability_of(self, figures: Float64, names: tuple[str, ...] | None = None) -> float:
        """The same of all figures, in order of `names`, those of `Agreement` where none are given."""
        order = NAMES if names is None else names
        mine = figures[[order.index(name) for name in self.names]]
        logit = self.weight @ normalised(mine, self.mean, self.deviation) + self.bias
        return float(1 / (1 + np.exp(-logit)))


def normalised(figures: Float64, mean: Float64, deviation: Float64) -> Float64:
    """Figures (...,K) in deviations from their means; beyond three nothing more is said."""
    out: Float64 = np.clip((figures - mean) / deviation, -3, 3)
    return out


NAMES = tuple(field.name for field in fields(Agreement))


def as_row(agreement: Agreement) -> Float64:
    """(K,) in order of `NAMES`."""
    return np.array(astuple(agreement), dtype=np.float64)
