"""The ground as a surface: where it would be seen if nothing stood on it, beyond the last beam that reached it too."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from densegt.completion.method import measured

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
# In a row of the image nothing is farther than the ground: it is a low quantile of inverse depth.
QUANTILE = 0.15
ENVELOPE_STEPS = 15
# What is this close, as a share of depth, belongs to the ground: closer and closer.
CLOSE = (0.15, 0.1, 0.08, 0.06)
MAX_POINTS, MIN_POINTS = 3000, 30
# Nearer than this below the optical axis (tangent) the road's bend counts no more.
BEND_ENDS = 0.3
# How high a camera may be mounted.
MIN_HEIGHT_M, MAX_HEIGHT_M = 0.4, 5.0
FARTHEST_M = 150.0


def ground(depth_m: Float32, K: Float64 | None) -> Float32:
    """Depth (H,W) in m of the surface that most likely is the ground; 0 above its horizon, and where there is none.

    Inverse depth of a plane is linear in the image. A quantile regression finds the farthest such plane that hardly any
    measurement lies beyond, then least squares fit it to those near it, with a bend for a road that rises or falls.

    Args:
        depth_m: (H,W), not positive or not finite = unknown.
        K: (3,3) px; without it that of a usual lens.
    """
    out = np.zeros_like(depth_m)
    v, u = _rays(depth_m.shape, K)
    row, col = np.nonzero(measured(depth_m) & (v[:, None] > 0))
    chosen = np.linspace(0, len(row) - 1, min(MAX_POINTS, len(row))).astype(int)
    row, col = row[chosen], col[chosen]
    if len(row) < MIN_POINTS:
        return out
    surface = _fitted(v[row], u[col], 1 / depth_m[row, col].astype(np.float64))
    if surface is None:
        return out
    along = _terms(v, np.zeros_like(v)) @ surface
    inverse = (along[:, None] + surface[2] * u).astype(np.float32)
    np.divide(1, inverse, out=out, where=inverse > 1 / FARTHEST_M)
    return out


def _fitted(v: Float64, u: Float64, inverse: Float64) -> Float64 | None:
    """(4,) weights of `_terms` that give inverse depth; None where it is no ground."""
    terms = _terms(v, u) / inverse[:, None]
    # The bend waits until it is clear what the ground is.
    surface = np.append(_envelope(terms[:, :3]), 0)
    for share in CLOSE:
        close = np.abs(1 - terms @ surface) < share
        if close.sum() < MIN_POINTS:
            return None
        # Far points are few and tell most of the bend.
        surface = _solved(terms[close], 1 / inverse[close], ridge=1e-7)
    return surface if 1 / MAX_HEIGHT_M < surface[1] < 1 / MIN_HEIGHT_M else None


def _terms(v: Float64, u: Float64) -> Float64:
    """(N,4): constant, down, right, and the bend."""
    return np.stack([np.ones_like(v), v, u, np.minimum(v, BEND_ENDS) ** 2], axis=1)


def _envelope(terms: Float64) -> Float64:
    """(3,) the plane that a share QUANTILE of points lies beyond, errors counted relative to depth."""
    weight = np.ones(len(terms))
    for _ in range(ENVELOPE_STEPS):
        plane = _solved(terms, weight, ridge=1e-9)
        nearer = 1 - terms @ plane
        weight = np.where(nearer > 0, QUANTILE, 1 - QUANTILE) / np.maximum(np.abs(nearer), 1e-3)
    return plane


def _solved(terms: Float64, weight: Float64, *, ridge: float) -> Float64:
    """Weighted least squares of terms @ surface = 1; a little ridge, for points that lie on one line."""
    weighted = terms * weight[:, None]
    normal = weighted.T @ terms
    normal += ridge * np.trace(normal) * np.eye(len(normal))
    return np.asarray(np.linalg.solve(normal, weighted.sum(axis=0)), np.float64)


def _rays(shape: tuple[int, ...], K: Float64 | None) -> tuple[Float64, Float64]:
    """(H,) and (W,): tangents of each row and column below and to the right of the optical axis."""
    height_px, width_px = shape
    if K is None:
        focal_px = 0.8 * width_px
        K = np.array([[focal_px, 0, width_px / 2], [0, focal_px, height_px / 2], [0, 0, 1]])
    return (np.arange(height_px) - K[1, 2]) / K[1, 1], (np.arange(width_px) - K[0, 2]) / K[0, 0]
