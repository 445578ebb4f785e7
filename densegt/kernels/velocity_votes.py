"""Votes for the velocity that moves a cluster onto the points of other sweeps."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(cache=True, nogil=True)
def velocity_votes(
    xy: NDArray[np.float32],
    others: NDArray[np.float32],
    since_s: NDArray[np.float32],
    first: NDArray[np.int64],
    step_mps: float,
    reach_m: float,
    cell_m: float,
    out: NDArray[np.float64],
) -> None:
    """Share of a cluster that lies on each other sweep's points when moved at each velocity of a grid.

    Args:
        xy: (N,2) m, a cluster of one sweep, relative to its centre.
        others: (M,2) m, points of other sweeps relative to the same centre; since_s: (M,) s, their time minus the
            cluster's.
        first: (K+1,) first row of each of the K sweeps in `others`.
        step_mps: spacing of the grid; reach_m: greatest distance to a point.
        cell_m: of the occupancy map of a sweep.
        out: (K,G,G), G odd; the middle is velocity 0, the first axis x.
    """
    half = out.shape[1] // 2
    span = 0.0
    for i in range(len(xy)):
        span = max(span, abs(float(xy[i, 0])), abs(float(xy[i, 1])))
    out[:] = 0.0
    row, col = np.empty((out.shape[1], len(xy)), dtype=np.uint32), np.empty((out.shape[2], len(xy)), dtype=np.uint32)
    near = int(np.ceil(reach_m / cell_m))
    for k in range(len(first) - 1):
        if first[k] == first[k + 1]:
            continue
        dt = float(np.mean(since_s[first[k] : first[k + 1]]))
        edge = span + half * step_mps * abs(dt) + reach_m
        cells = 2 * int(np.ceil(edge / cell_m)) + 1
        # A last row and column where nothing is, for what is moved beyond the map.
        there = np.zeros((cells + 1, cells + 1), dtype=np.uint8)
        low = -cells * cell_m / 2
        for j in range(first[k], first[k + 1]):
            a, b = int(np.floor((others[j, 0] - low) / cell_m)), int(np.floor((others[j, 1] - low) / cell_m))
            if not (-near <= a < cells + near and -near <= b < cells + near):
                continue
            for u in range(max(a - near, 0), min(a + near + 1, cells)):
                for v in range(max(b - near, 0), min(b + near + 1, cells)):
                    if (u - a) ** 2 + (v - b) ** 2 <= near * near:
                        there[u, v] = 1
        # Where each point goes along an axis depends on the velocity along that axis alone.
        for g in range(out.shape[1]):
            off = (g - half) * step_mps * dt - low
            for i in range(len(xy)):
                a, b = int((xy[i, 0] + off) / cell_m), int((xy[i, 1] + off) / cell_m)
                row[g, i] = (a if 0 <= a < cells else cells) * (cells + 1)
                col[g, i] = b if 0 <= b < cells else cells
        flat = there.ravel()
        for g in range(out.shape[1]):
            for h in range(out.shape[2]):
                landed = 0
                for i in range(len(xy)):
                    landed += flat[row[g, i] + col[h, i]]
                out[k, g, h] = landed / len(xy)
