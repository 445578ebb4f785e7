"""Unions of convex solids, each given by its planes: a signed distance without a mesh."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull

Float64 = NDArray[np.float64]

# Edges are rounded about so much: the maximum over planes is a soft one.
ROUND_M = 0.02


@dataclass(frozen=True)
class Solids:
    """A union of convex solids in the shape frame: x ahead, y left, z up, the ground at 0, m.

    Attributes:
        planes: (K,4) of each solid: unit normals outwards and offsets, n.x + d <= 0 inside.
        low, high: (3,) corners of the box around all.
    """

    planes: tuple[Float64, ...]
    low: Float64
    high: Float64

    @classmethod
    def of(cls, corners: Sequence[Float64]) -> Solids:
        """The hulls of sets of corners (N,3)."""
        hulls = [ConvexHull(points) for points in corners]
        every = np.concatenate(corners)
        return cls(tuple(np.unique(h.equations.round(9), axis=0) for h in hulls), every.min(axis=0), every.max(axis=0))

    @property
    def size_lwh_m(self) -> Float64:
        """(3,), the height from the ground."""
        return np.array([*(self.high - self.low)[:2], self.high[2]])

    def distance(self, xyz: Float64) -> Float64:
        """Signed distance (N,) of points (N,3): exact beside faces, short of it beyond edges; negative inside."""
        nearest = np.full(len(xyz), np.inf)
        for planes in self.planes:
            np.minimum(nearest, _soft_maximum(xyz @ planes[:, :3].T + planes[:, 3]), out=nearest)
        return nearest

    def normal(self, xyz: Float64) -> Float64:
        """Normal (N,3) of the face nearest to points (N,3)."""
        nearest, out = np.full(len(xyz), np.inf), np.zeros_like(xyz)
        for planes in self.planes:
            away = xyz @ planes[:, :3].T + planes[:, 3]
            closer = away.max(axis=1) < nearest
            nearest[closer] = away.max(axis=1)[closer]
            out[closer] = planes[away.argmax(axis=1)[closer], :3]
        return out

    def surface(self, count: int, rng: np.random.Generator) -> Float64:
        """About `count` points (N,3) of the surface: places in the box around it, projected."""
        margin = 0.15 * (self.high - self.low)
        xyz = rng.uniform(self.low - margin, self.high + margin, (2 * count, 3))
        for _ in range(4):
            xyz = xyz - self.distance(xyz)[:, None] * self.normal(xyz)
        return xyz[np.abs(self.distance(xyz)) < 0.005][:count]


def _soft_maximum(values: Float64) -> Float64:
    most = values.max(axis=1)
    out: Float64 = most + ROUND_M * np.log(np.exp((values - most[:, None]) / ROUND_M).sum(axis=1))
    return out
