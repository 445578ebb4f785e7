"""Slow twins of densegt.kernels.compose."""

from __future__ import annotations

import numpy as np


def compose_layers(surface, z_buffer, depth_m, surfel, measured):
    for at in np.ndindex(depth_m.shape):
        depth_m[at], surfel[at], measured[at] = 0, -1, False
        if z_buffer.point[at] >= 0:
            depth_m[at], surfel[at], measured[at] = z_buffer.depth_m[at], z_buffer.point[at], True
        elif surface.best[at] >= 0:
            depth_m[at], surfel[at] = surface.depth_m[at], surface.best[at]


def clear_pixels(which, out):
    for layer, unknown in zip(out[:3], (0, -1, False), strict=True):
        layer[which] = unknown
    out.inverse_slope[which] = 0
