"""Bundles of neighbouring rays, so that most movers need not be tried against most rays."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]
Float32 = NDArray[np.float32]

BUNDLE = 40
"""Rays in a bundle: eight beams of five, or as many pixels in a row."""


class Rays(NamedTuple):
    """Rays (R,) in the world's frame, each at one of some moments.

    Attributes:
        origin, direction: (R,3) float32; moment: (R,) index of `times_s` (M,). Neighbours should point much alike.
    """

    origin: Float32
    direction: Float32
    moment: NDArray[np.int64]
    times_s: Float64


class Bundles(NamedTuple):
    """Cones that hold rays which follow one another.

    Attributes:
        origin, axis: (B,3); cosine, sine: (B,) of half the opening, less than a right angle unless `all_round`.
        all_round: (B,) rays that point anywhere; spread_m: (B,) how far origins lie from the first.
    """

    origin: Float64
    axis: Float64
    cosine: Float64
    sine: Float64
    all_round: NDArray[np.bool_]
    spread_m: Float64


def bundled(rays: Rays) -> Bundles:
    """Bundles of all rays, in order; the last one may be smaller."""
    count = len(rays.direction)
    padded = np.minimum(np.arange(-(-count // BUNDLE) * BUNDLE), count - 1).reshape(-1, BUNDLE)
    direction, origin = rays.direction[padded], rays.origin[padded]
    axis = direction.sum(axis=1, dtype=np.float64)
    axis /= np.maximum(np.linalg.norm(axis, axis=1, keepdims=True), 1e-9)
    cosine = np.einsum("bri,bi->br", direction, axis).min(axis=1) - 1e-4  # a little wider, for rounding
    spread = np.abs(origin - origin[:, :1]).max(axis=1)
    return Bundles(
        origin[:, 0].astype(np.float64), axis, cosine, np.sqrt(np.maximum(1 - cosine**2, 0)), cosine < 0.1,
        np.linalg.norm(spread, axis=1),
    )  # fmt: skip


def may_meet(bundles: Bundles, middle: Float64, radius_m: float) -> NDArray[np.bool_]:
    """Which bundles (B,) may hold rays that come into a sphere about a point (3,)."""
    away = middle - bundles.origin
    far2 = np.einsum("bi,bi->b", away, away)
    wide = radius_m + bundles.spread_m
    sine2 = np.minimum(wide**2 / np.maximum(far2, 1e-9), 1)  # of half the angle that the sphere fills
    limit = bundles.cosine * np.sqrt(1 - sine2) - bundles.sine * np.sqrt(sine2)  # cosine of both halves together
    toward = np.einsum("bi,bi->b", away, bundles.axis)
    out: NDArray[np.bool_] = (sine2 >= 1) | bundles.all_round | (toward > limit * np.sqrt(far2))
    return out
