"""Depth against truth with 3x3 tolerance: the best match among the 3x3 truths around a pixel."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

ABSOLUTE_TOLERANCE_M = 0.5
RELATIVE_TOLERANCE = 0.05

Float32 = NDArray[np.float32]
# Stands for "no surface here": so far from every depth that it never is the best match, yet finite in arithmetic.
_NO_SURFACE_M = np.float32(1e9)


def known(depth_m: NDArray[np.floating[Any]]) -> NDArray[np.bool_]:
    """Where a depth map (H,W) has a value: finite and positive."""
    has: NDArray[np.bool_] = np.isfinite(depth_m) & (depth_m > 0)
    return has


def tolerance_m(truth_m: Float32) -> Float32:
    """How far off a depth may be to count as right: max(0.5 m, 5 % of truth)."""
    return np.maximum(np.float32(ABSOLUTE_TOLERANCE_M), np.float32(RELATIVE_TOLERANCE) * truth_m)


def best_match(depth_m: Float32, truth_m: Float32, pixels: NDArray[np.bool_]) -> Float32:
    """Signed error of each chosen pixel against its best match, in tolerances; beyond +-1 is an outlier.

    The best match is the truth t among the 3x3 around the pixel (inside the image, t > 0) with the smallest
    |depth - t| / max(0.5 m, 5 % of t). Where two match equally well, the nearer one counts, so the sign says too far.

    Args:
        depth_m: (H,W) m.
        truth_m: (H,W) m, 0 = no surface.
        pixels: (H,W), N of them true; depth must be known there.

    Returns:
        (N,) in row-major order, (depth - t) / tolerance; inf where none of the nine truths is a surface.
    """
    truth, tolerance = _padded(truth_m)
    stride = truth_m.shape[1] + 2
    rows, cols = np.nonzero(pixels)
    middle = (rows + 1) * stride + cols + 1
    depth = depth_m[rows, cols].astype(np.float32)
    best = np.full(len(depth), np.inf, dtype=np.float32)
    size = np.full(len(depth), np.inf, dtype=np.float32)
    for step in (0, -stride - 1, -stride, -stride + 1, -1, 1, stride - 1, stride, stride + 1):
        error = (depth - truth.take(middle + step)) / tolerance.take(middle + step)
        error_size = np.abs(error)
        better = (error_size < size) | ((error_size == size) & (error > best))
        np.copyto(best, error, where=better)
        np.copyto(size, error_size, where=better)
    best[size > _NO_SURFACE_M / 2] = np.inf
    return best


def surface_nearby(truth_m: Float32) -> NDArray[np.bool_]:
    """Pixels (H,W) with a surface among the 3x3 truths around them."""
    has = np.pad(known(truth_m), 1)
    rows = has[:-2] | has[1:-1] | has[2:]
    near: NDArray[np.bool_] = rows[:, :-2] | rows[:, 1:-1] | rows[:, 2:]
    return near


def _padded(truth_m: Float32) -> tuple[Float32, Float32]:
    """Flat truth and tolerance with a one-pixel frame; no surface is a huge depth with a tolerance of 1."""
    has = known(truth_m)
    truth = np.pad(np.where(has, truth_m, _NO_SURFACE_M).astype(np.float32), 1, constant_values=_NO_SURFACE_M)
    tolerance = np.pad(np.where(has, tolerance_m(np.where(has, truth_m, 0)), 1), 1, constant_values=1)
    return truth.ravel(), tolerance.astype(np.float32).ravel()
