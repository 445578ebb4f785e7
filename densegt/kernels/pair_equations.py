"""Pairs of points of one object, and the normal equations of the motion (a cubic B-spline) that aligns them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

Array = NDArray[np.float64]


class SplinePoints(NamedTuple):
    """Points of one object, and where each lies on the spline of its motion.

    Attributes:
        xyz_object: (N,3) m in the object's frame; normal: (N,2) there, seen from above.
        yaw: (N,) rad, of the object at each point's time.
        knot: (N,) int64, first of the four coefficients with weight; basis: (N,4), their weights.
    """

    xyz_object: Array
    normal: Array
    yaw: Array
    knot: NDArray[np.int64]
    basis: Array


@njit(cache=True, nogil=True)
def nearest_in_sweeps(
    q: Array,
    sweep: NDArray[np.int64],
    first: NDArray[np.int64],
    offsets: NDArray[np.int64],
    each: int,
    reach_m: float,
    out: NDArray[np.int64],
) -> None:
    """Fill `out` with the nearest point of other sweeps, `each` of the sweep offsets per point in turn.

    Args:
        q: (N,3) m in the object's frame, in order of sweep; squared heights weigh a quarter.
        sweep: (N,) index from 0; first: (S+1,) first row of each.
        out: (N,each) row, -1 where none is within `reach_m`.
    """
    for i in range(len(q)):
        for e in range(each):
            out[i, e] = -1
            s = sweep[i] + offsets[(i * each + e) % len(offsets)]
            if not 0 <= s < len(first) - 1:
                continue
            best = reach_m * reach_m
            for j in range(first[s], first[s + 1]):
                dx, dy, dz = q[i, 0] - q[j, 0], q[i, 1] - q[j, 1], q[i, 2] - q[j, 2]
                squared = dx * dx + dy * dy + 0.25 * dz * dz
                if squared < best:
                    best = squared
                    out[i, e] = j


@njit(cache=True, nogil=True)
def pair_equations(
    points: SplinePoints,
    pairs: NDArray[np.int64],
    across_weight: float,
    along_weight: float,
    spacing_m: float,
    robust: float,
    H: Array,
    g: Array,
) -> None:
    """Add to `H` (3K,3K) and `g` (3K,) the Gauss-Newton terms of pairs for the spline's coefficients (K,3): x, y, yaw.

    The residual of a pair is the difference of its points in the object's frame, seen from above: weighted by
    `across_weight` (1/m^2) along the first one's normal, and by `along_weight` in every direction if they lie
    farther apart than `spacing_m`. Nearer pairs along a flat side would bias the motion to zero.

    Args:
        pairs: (P,2) rows.
        spacing_m: between neighbouring samples of one surface.
        robust: Geman-McClure scale, of the weighted squared residual.
    """
    q, normal, yaw, knot, basis = points
    D = np.empty((2, 2, 3))
    for p in range(len(pairs)):
        i, j = pairs[p]
        for side in range(2):
            k = pairs[p, side]
            c, s = np.cos(yaw[k]), np.sin(yaw[k])
            D[side, 0, 0], D[side, 0, 1], D[side, 0, 2] = -c, -s, q[k, 1]
            D[side, 1, 0], D[side, 1, 1], D[side, 1, 2] = s, -c, -q[k, 0]
        D[1] *= -1.0
        ex, ey = q[i, 0] - q[j, 0], q[i, 1] - q[j, 1]
        nx, ny = normal[i, 0], normal[i, 1]
        along = along_weight if ex * ex + ey * ey > spacing_m * spacing_m else 0.0
        wxx = across_weight * nx * nx + along
        wxy = across_weight * nx * ny
        wyy = across_weight * ny * ny + along
        squared = wxx * ex * ex + 2 * wxy * ex * ey + wyy * ey * ey
        w = (1.0 / (1.0 + squared / robust)) ** 2
        for a in range(2):
            ka = knot[pairs[p, a]]
            for r in range(3):
                vx = w * (wxx * D[a, 0, r] + wxy * D[a, 1, r])
                vy = w * (wxy * D[a, 0, r] + wyy * D[a, 1, r])
                gr = vx * ex + vy * ey
                for m in range(4):
                    g[3 * (ka + m) + r] += basis[pairs[p, a], m] * gr
                for b in range(2):
                    kb = knot[pairs[p, b]]
                    for t in range(3):
                        h = vx * D[b, 0, t] + vy * D[b, 1, t]
                        for m in range(4):
                            hm = h * basis[pairs[p, a], m]
                            for n in range(4):
                                H[3 * (ka + m) + r, 3 * (kb + n) + t] += hm * basis[pairs[p, b], n]
