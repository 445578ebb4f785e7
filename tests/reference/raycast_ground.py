"""Slow twins of densegt.kernels.raycast_ground."""

from __future__ import annotations

import math

import numpy as np

from densegt.kernels.raycast_ground import ASPHALT, GRASS, KERB, MARKING, PAVEMENT


def centre(x, g):
    return g[2] * (np.sin(g[3] * x + g[4]) - np.sin(g[4]))


def base_height(x, y, g):
    z = g[0] * x + g[1] * y
    for amplitude, kx, ky, phase in g[10:26].reshape(4, 4):
        z = z + amplitude * np.sin(kx * x + ky * y + phase)
    return z + g[9] * (1 - np.minimum(np.abs(y - centre(x, g)) / g[5], 1) ** 2)


def kerb_height(x, y, g, ramp_m):
    outside = np.minimum(np.abs(y - centre(x, g)) - g[5], np.abs(x - g[7]) - g[8])
    return g[6] * np.clip(outside / ramp_m, 0, 1)


def height(x, y, g):
    return base_height(x, y, g) + kerb_height(x, y, g, 0.03)


def heights(xy, g, ramp_m, out):
    out[:] = base_height(*xy.T, g) + kerb_height(*xy.T, g, ramp_m)


def ground_normal(x, y, g):
    slope = [(height(x + dx, y + dy, g) - height(x - dx, y - dy, g)) / 0.01 for dx, dy in ((0.005, 0), (0, 0.005))]
    normal = np.array([-slope[0], -slope[1], 1])
    return tuple(normal / np.linalg.norm(normal))


def ground_hit(ray, g, t_max):
    """The first of densely sampled places below ground."""
    t = np.arange(0, t_max, 0.005)
    x, y, z = np.array(ray[:3])[:, None] + np.array(ray[3:])[:, None] * t
    below = np.flatnonzero(z < height(x, y, g))
    return t[below[0]] if len(below) else -1.0


def ground_material(x, y, road):
    g, lane_m, lanes = road
    d = y - centre(x, g)
    main, cross = abs(d) - g[5], abs(x - g[7]) - g[8]
    dashed = math.floor(x / 3) % 3
    if main < 0 and cross > 1:
        lines = [k for k in range(1, lanes + 1) if abs(abs(d) - k * lane_m) < 0.06]
        middle = abs(d) < 0.07 and (lanes > 1 or dashed != 0)
        zebra = cross < 4 and math.floor(d / 0.5) % 2 == 0
        if middle or zebra or any(k == lanes or dashed == 0 for k in lines):
            return MARKING
    if main <= 0 or cross <= 0:
        return ASPHALT
    if min(main, cross) < 0.16:
        return KERB
    return PAVEMENT if main < 3.4 else GRASS
