"""Slow twins of densegt.kernels.shadow."""

from __future__ import annotations

import numpy as np


def sunlight(xyz_world, normal, range_m, T_world_sun, K, out):
    """Each point lifted along its normal, seen from the sun; outside the map it is lit."""
    side = len(range_m)
    for i, (xyz, n) in enumerate(zip(xyz_world, normal.astype(float), strict=True)):
        p = T_world_sun[:3, :3].T @ (xyz + 0.15 * n - T_world_sun[:3, 3])
        u, v = (K @ (p / p[2]))[:2]
        col, row = int(np.floor(u)), int(np.floor(v))
        out[i] = 1
        if 0 <= col < side - 1 and 0 <= row < side - 1:
            seen = range_m[row : row + 2, col : col + 2]
            lit = (seen == 0) | (np.linalg.norm(p) - 0.12 <= seen)
            out[i] = np.array([1 - v + row, v - row]) @ lit @ np.array([1 - u + col, u - col])
