"""Points that an object's own motion must bring together: their pairs, and the normal equations of that motion."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Array = NDArray[np.float64]


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
    """For each point and `each` of the offsets in turn, the nearest point of the sweep that far away.

    Args:
        q: (N,3) m in the object's frame, in order of sweep; heights count little.
        sweep: (N,) counted from 0; first: (S+1,) first row of each.
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
    q: Array,
    normal: Array,
    yaw: Array,
    knot: NDArray[np.int64],
    basis: Array,
    pairs: NDArray[np.int64],
    across_weight: float,
    along_weight: float,
    spacing_m: float,
    robust: float,
    H: Array,
    g: Array,
) -> None:
    """Add to `H` (3K,3K) and `g` (3K,) what pairs of points say of the motion's coefficients (K,3): x, y, yaw.

    The error of a pair is the difference of its points in the object's frame, seen from above: weighed by
    `across_weight` (1/m^2) along the first one's normal, and by `along_weight` in every direction where they lie
    farther apart than samples of one surface do. Nearer pairs would hold a flat side where it is, right or wrong.

    Args:
        q: (N,3) m in the object's frame; normal: (N,2) there, seen from above.
        yaw: (N,) of the object at each point's time.
        knot: (N,) first of the four coefficients that count then; basis: (N,4) their weights.
        pairs: (P,2) rows.
        spacing_m: of samples of one surface.
        robust: error, in units of its weight, squared, at which a pair counts half (Geman-McClure).
    """
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
