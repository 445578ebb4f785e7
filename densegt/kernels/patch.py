"""Geometry of one patch: which pixels it may cover, and where a pixel's ray meets its plane."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(cache=True, inline="always")
def patch_bounds(
    p: NDArray[np.float32],
    tangents: NDArray[np.float32],
    half_m: NDArray[np.float32],
    K: NDArray[np.float64],
    reach_px: float,
    height_px: int,
    width_px: int,
) -> tuple[int, int, int, int]:
    """First and last row, first and last column that the patch may cover; the last is below the first for none."""
    fx, fy, cx, cy = K[0, 0], K[1, 1], K[0, 2], K[1, 2]
    u0, v0 = fx * p[0] / p[2] + cx, fy * p[1] / p[2] + cy
    u_lo, u_hi, v_lo, v_hi = u0, u0, v0, v0
    for corner in range(4):
        a = half_m[0] if corner & 1 else -half_m[1]
        e = half_m[2] if corner & 2 else -half_m[3]
        # A patch that reaches behind the camera is cut by reach_px.
        z = max(p[2] + a * tangents[0, 2] + e * tangents[1, 2], 0.1)
        u = fx * (p[0] + a * tangents[0, 0] + e * tangents[1, 0]) / z + cx
        v = fy * (p[1] + a * tangents[0, 1] + e * tangents[1, 1]) / z + cy
        u_lo, u_hi = min(u_lo, u), max(u_hi, u)
        v_lo, v_hi = min(v_lo, v), max(v_hi, v)
    u_lo, u_hi = max(u_lo, u0 - reach_px, 0.0), min(u_hi, u0 + reach_px, width_px - 1.0)
    v_lo, v_hi = max(v_lo, v0 - reach_px, 0.0), min(v_hi, v0 + reach_px, height_px - 1.0)
    if u_hi < u_lo or v_hi < v_lo:
        return 0, -1, 0, -1
    return int(np.ceil(v_lo)), int(np.floor(v_hi)), int(np.ceil(u_lo)), int(np.floor(u_hi))


@njit(cache=True, inline="always")
def patch_normal(tangents: NDArray[np.float32]) -> tuple[float, float, float]:
    """A x E, not of unit length."""
    ax, ay, az = np.float64(tangents[0, 0]), np.float64(tangents[0, 1]), np.float64(tangents[0, 2])
    ex, ey, ez = np.float64(tangents[1, 0]), np.float64(tangents[1, 1]), np.float64(tangents[1, 2])
    return float(ay * ez - az * ey), float(az * ex - ax * ez), float(ax * ey - ay * ex)


@njit(cache=True, inline="always")
def patch_gradients(
    tangents: NDArray[np.float32], nx: float, ny: float, nz: float
) -> tuple[float, float, float, float, float, float]:
    """How coordinates a, e along both tangents change over the patch's plane: vectors F, G with a = F.q and e = G.q.

    With n = A x E they are F = (E x n) / |n|^2 and G = (n x A) / |n|^2, so that F.A = G.E = 1 and F.E = G.A = 0. On a
    pixel's ray d at depth z the offset from the patch's point p is q = z d - p, hence a = z F.d - F.p.
    """
    ax, ay, az = np.float64(tangents[0, 0]), np.float64(tangents[0, 1]), np.float64(tangents[0, 2])
    ex, ey, ez = np.float64(tangents[1, 0]), np.float64(tangents[1, 1]), np.float64(tangents[1, 2])
    nn = nx * nx + ny * ny + nz * nz
    return (
        float((ey * nz - ez * ny) / nn),
        float((ez * nx - ex * nz) / nn),
        float((ex * ny - ey * nx) / nn),
        float((ny * az - nz * ay) / nn),
        float((nz * ax - nx * az) / nn),
        float((nx * ay - ny * ax) / nn),
    )
