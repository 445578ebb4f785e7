"""A shape and its pose fitted to the points of a whole track, from several starts at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from densegt.autolabel.config import FitConfig
from densegt.autolabel.object_evidence import ObjectEvidence
from densegt.shapes.decoder import CODE, ShapeDecoder
from densegt.shapes.prior import ShapePrior
from densegt.shapes.surface import extent

Float64 = NDArray[np.float64]

# The longest step of x, y m, yaw rad, dz m, code in deviations.
LONGEST = np.array([0.5, 0.5, 0.25, 0.1, *[1.0] * CODE])
# Starts that each round leaves.
KEPT = (2, 2, 1)
# Deeper than this empty space may reach into a shape: mirrors, wheel arches, errors of the poses.
SKIN_M, DEEPEST_M = 0.06, 0.4
# Of so many points a code is believed as much as the prior.
BELIEVED = 60.0


class Start(NamedTuple):
    """Where a fit begins: x, y m, yaw rad in the object's frame, and the family of the shape."""

    x: float
    y: float
    yaw: float
    family: str


@dataclass(frozen=True)
class ShapeFit:
    """A shape where it fits best.

    Attributes:
        x, y, yaw: of the shape frame in the object's frame; dz: its ground above the ground that heights count from.
        w: (8,) the code in deviations of its family; code: (8,).
        size_lwh_m: (3,); middle_x_m: of the box in the shape frame.
        loss: of the points; rivals: losses of the starts by yaw, those given up too.
    """

    family: str
    x: float
    y: float
    yaw: float
    dz: float
    w: Float64
    code: Float64
    size_lwh_m: Float64
    middle_x_m: float
    loss: float
    rivals: tuple[tuple[float, float], ...]

    def into(self, xyh: Float64) -> Float64:
        """Points (N,3) of the object's frame in the shape frame."""
        c, s = np.cos(self.yaw), np.sin(self.yaw)
        dx, dy = xyh[:, 0] - self.x, xyh[:, 1] - self.y
        return np.column_stack([c * dx + s * dy, -s * dx + c * dy, xyh[:, 2] - self.dz])

    @property
    def middle(self) -> Float64:
        """(2,) of the box in the object's frame."""
        return np.array([self.x + np.cos(self.yaw) * self.middle_x_m, self.y + np.sin(self.yaw) * self.middle_x_m])


class Poses(NamedTuple):
    """Numbers of each start (S): x, y m, yaw rad, dz m, then the code in deviations; and the families they are of.

    Attributes:
        theta: (S,12); mean: (S,8); basis: (S,8,8).
    """

    theta: Float64
    mean: Float64
    basis: Float64
    families: tuple[str, ...]

    @classmethod
    def of(cls, prior: ShapePrior, starts: Sequence[Start]) -> Poses:
        """At the mean shapes."""
        families = [prior.families[s.family] for s in starts]
        theta = np.zeros((len(starts), 4 + CODE))
        theta[:, :3] = [(s.x, s.y, s.yaw) for s in starts]
        mean, basis = np.stack([f.mean for f in families]), np.stack([f.basis for f in families])
        return cls(theta, mean, basis, tuple(s.family for s in starts))

    def take(self, rows: NDArray[np.intp]) -> Poses:
        """Some of the starts."""
        return Poses(self.theta[rows], self.mean[rows], self.basis[rows], tuple(self.families[k] for k in rows))

    @property
    def code(self) -> Float64:
        """(S,8)."""
        out: Float64 = self.mean + np.einsum("sij,sj->si", self.basis, self.theta[:, 4:])
        return out


def _local(poses: Poses, xyh: Float64) -> Float64:
    """Points (N,3) of the object's frame in each shape's (S,N,3)."""
    x, y, yaw, dz = (poses.theta[:, k, None] for k in range(4))
    c, s = np.cos(yaw), np.sin(yaw)
    dx, dy = xyh[:, 0] - x, xyh[:, 1] - y
    return np.stack([c * dx + s * dy, c * dy - s * dx, xyh[:, 2] - dz], -1)


def values(decoder: ShapeDecoder, poses: Poses, xyh: Float64) -> Float64:
    """Signed distances (S,N) m of points (N,3) of the object's frame."""
    kind = next(decoder.parameters()).dtype
    code = torch.from_numpy(poses.code).to(kind)[:, None].expand(-1, len(xyh), -1)
    with torch.no_grad():
        f: Float64 = decoder(code, torch.from_numpy(_local(poses, xyh)).to(kind)).double().numpy()
    return f


def distances(decoder: ShapeDecoder, poses: Poses, xyh: Float64) -> tuple[Float64, Float64]:
    """Signed distances (S,N) m of points (N,3) of the object's frame, and their slopes (S,N,12) in all numbers."""
    yaw = poses.theta[:, 2, None]
    c, s = np.cos(yaw), np.sin(yaw)
    local = _local(poses, xyh)
    kind = next(decoder.parameters()).dtype
    xyz = torch.from_numpy(local).to(kind).requires_grad_(True)
    code = torch.from_numpy(poses.code).to(kind)[:, None].repeat(1, len(xyh), 1).requires_grad_(True)
    f = decoder(code, xyz)
    by_xyz, by_code = (g.double().numpy() for g in torch.autograd.grad(f.sum(), (xyz, code)))
    gx, gy, gz = by_xyz[..., 0], by_xyz[..., 1], by_xyz[..., 2]
    slope = np.empty((*f.shape, 4 + CODE))
    slope[..., 0], slope[..., 1] = s * gy - c * gx, -s * gx - c * gy
    slope[..., 2], slope[..., 3] = gx * local[..., 1] - gy * local[..., 0], -gz
    slope[..., 4:] = by_code @ poses.basis
    return f.detach().double().numpy(), slope


def fit_shape(
    prior: ShapePrior, seen: ObjectEvidence, starts: Sequence[Start], config: FitConfig, seed: int = 0
) -> ShapeFit:
    """The best shape of all starts; one code and one pose explain the points of all times."""
    rng = np.random.default_rng(seed)
    poses = Poses.of(prior, starts)
    rivals: list[tuple[float, float]] = []
    for turn, (steps, robust_m) in enumerate(zip(config.steps, config.robust_m, strict=True)):
        points = seen.xyh[_some(len(seen.xyh), config.points, rng)]
        free = seen.free[_nearest(prior.decoder, poses, seen.free, config.free)]
        poses, loss = _descend(prior.decoder, poses, points, free, (steps, robust_m), config)
        order = np.argsort(loss, kind="stable")
        best = order[: KEPT[turn]]
        given_up = order[KEPT[turn] :] if turn + 1 < len(config.steps) else order[1:]
        rivals += [(float(poses.theta[k, 2]), float(loss[k] - loss[order[0]])) for k in given_up]
        poses = poses.take(best)
    return _finished(prior, poses, float(loss[order[0]]), rivals)


def _some(count: int, most: int, rng: np.random.Generator) -> NDArray[np.intp]:
    return np.arange(count) if count <= most else np.sort(rng.permutation(count)[:most])


def _nearest(decoder: ShapeDecoder, poses: Poses, free: Float64, most: int) -> NDArray[np.intp]:
    """Rows of the empty places that lie deepest in any of the shapes, or nearest to them."""
    if len(free) <= most:
        return np.arange(len(free))
    least = values(decoder, poses, free).min(axis=0)
    return np.sort(np.argsort(least, kind="stable")[:most])


def _descend(
    decoder: ShapeDecoder, poses: Poses, points: Float64, free: Float64, how: tuple[int, float], config: FitConfig
) -> tuple[Poses, Float64]:
    """Some steps of Gauss and Newton, each residual weighted anew; and the losses (S,) before the last of them.

    Args:
        how: steps, and beyond which residual a point counts little.
    """
    steps, robust_m = how
    both, count = np.concatenate([points, free]), len(points)
    believed = config.code_weight * (1 + BELIEVED / max(count, 1))
    hold = np.concatenate([[1e-4, 1e-4, 1e-3, 0.05 / config.ground_sigma_m**2], np.full(CODE, believed)])
    pull = hold * (np.arange(4 + CODE) >= 3)
    for _ in range(steps):
        f, slope = distances(decoder, poses, both)
        on, deep = f[:, :count], np.clip(-f[:, count:] - SKIN_M, 0.0, DEEPEST_M)
        scale = robust_m**2 / (on**2 + robust_m**2)
        emptiness = config.free_weight / max(len(free), 40)
        theta = poses.theta
        loss = (1 - scale).mean(axis=1) + emptiness * deep.sum(axis=1) + (pull * theta**2).sum(axis=1)
        weight = np.concatenate(
            [(scale / robust_m) ** 2 / max(count, 1), emptiness * (deep > 0) / (deep + 0.1)], axis=1
        )
        residual = np.concatenate([on, np.where(deep > 0, -deep, 0.0)], axis=1)
        weighted = slope * weight[..., None]
        H = np.einsum("snk,snl->skl", weighted, slope) + np.diag(hold + 1e-6)
        g = np.einsum("snk,sn->sk", weighted, residual) + pull * theta
        step = np.linalg.solve(H, g[..., None])[..., 0]
        # Beyond this the slopes say nothing.
        step *= np.minimum(1.0, (LONGEST / np.maximum(np.abs(step), 1e-12)).min(axis=1, keepdims=True))
        poses = poses._replace(theta=theta - step)
    return poses, loss


def _finished(prior: ShapePrior, poses: Poses, loss: float, rivals: list[tuple[float, float]]) -> ShapeFit:
    x, y, yaw, dz = poses.theta[0, :4].tolist()
    code, family = poses.code[0], poses.families[0]
    size, middle_x = extent(prior.decoder, code, prior.families[family].size_lwh_m)
    return ShapeFit(family, x, y, yaw, dz, poses.theta[0, 4:], code, size, middle_x, loss, tuple(rivals))
