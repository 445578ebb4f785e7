"""Pinhole projection. Pixel centres are integers, so column = floor(u + 0.5)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]


def project(K: Float64, xyz_cam: Float64) -> tuple[Float64, Float64]:
    """Project points (N,3) in cam to uv (N,2) px and z-depth (N,) m.

    Points at or behind the camera plane (z <= 0) get uv = NaN.
    """
    z = xyz_cam[:, 2]
    ahead = z > 0
    safe = np.where(ahead, z, 1.0)
    u = (K[0, 0] * xyz_cam[:, 0] + K[0, 1] * xyz_cam[:, 1]) / safe + K[0, 2]
    v = K[1, 1] * xyz_cam[:, 1] / safe + K[1, 2]
    uv = np.stack([u, v], axis=1)
    uv[~ahead] = np.nan
    return uv, z


def rays(K: Float64, width_px: int, height_px: int) -> Float64:
    """Directions (H,W,3) in cam through each pixel's centre, scaled so that z = 1."""
    v, u = np.mgrid[0:height_px, 0:width_px].astype(np.float64)
    y = (v - K[1, 2]) / K[1, 1]
    x = (u - K[0, 2] - K[0, 1] * y) / K[0, 0]
    return np.stack([x, y, np.ones_like(x)], axis=-1)


def unproject(K: Float64, depth_m: NDArray[np.floating[Any]]) -> Float64:
    """Points (H,W,3) in cam from z-depth (H,W); pixels without depth (0) come out as the origin."""
    height_px, width_px = depth_m.shape
    return rays(K, width_px, height_px) * np.asarray(depth_m, dtype=np.float64)[..., None]
