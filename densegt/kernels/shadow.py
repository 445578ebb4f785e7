"""Shadow mapping."""

from __future__ import annotations

import math

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

Array = NDArray[np.float64]

SLACK_M = 0.12
"""Bias: a point this little behind the lit surface is lit; points are also shifted along their normals."""


@njit(parallel=True, cache=True)
def sunlight(
    xyz_world: Array,
    normal: NDArray[np.float32],
    range_m: Array,
    T_world_sun: Array,
    K: Array,
    out: NDArray[np.float32],
) -> None:
    """Fill `out` (R,) with the share of sunlight on points (R,3) with normals (R,3), bilinear in the map (S,S)."""
    side = range_m.shape[0]
    for i in prange(len(out)):
        out[i] = 1.0
        p = np.empty(3)
        for k in range(3):
            p[k] = xyz_world[i, k] + 0.15 * normal[i, k] - T_world_sun[k, 3]
        z = p[0] * T_world_sun[0, 2] + p[1] * T_world_sun[1, 2] + p[2] * T_world_sun[2, 2]
        u = K[0, 0] * (p[0] * T_world_sun[0, 0] + p[1] * T_world_sun[1, 0] + p[2] * T_world_sun[2, 0]) / z + K[0, 2]
        v = K[1, 1] * (p[0] * T_world_sun[0, 1] + p[1] * T_world_sun[1, 1] + p[2] * T_world_sun[2, 1]) / z + K[1, 2]
        col, row = math.floor(u), math.floor(v)
        if 0 <= col < side - 1 and 0 <= row < side - 1:
            own = math.sqrt(p[0] * p[0] + p[1] * p[1] + p[2] * p[2]) - SLACK_M
            light = 0.0
            for a in range(2):
                for b in range(2):
                    weight = (v - row if a else 1.0 - v + row) * (u - col if b else 1.0 - u + col)
                    lit = range_m[row + a, col + b]
                    light += weight * (1.0 if lit == 0.0 or own <= lit else 0.0)
            out[i] = light
