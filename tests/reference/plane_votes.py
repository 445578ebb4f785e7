"""Slow twins of densegt.kernels.plane_votes."""

from __future__ import annotations

import numpy as np


def plane_votes(depth_m, measured, inverse_slope, radius_px, relative, absolute_m, agree, farther):
    height, width = depth_m.shape
    for row, col in np.argwhere(measured):
        for r in range(height):
            for c in range(width):
                z = depth_m[r, c]
                if max(abs(r - row), abs(c - col)) > radius_px or (r, c) == (row, col) or not z > 0:
                    continue
                slope = inverse_slope[row, col]
                foretold = 1 / depth_m[row, col] + slope[0] * (c - col) + slope[1] * (r - row)
                off, tolerance = z * foretold - 1, relative + absolute_m / z
                agree[r, c] += abs(off) <= tolerance
                farther[r, c] += off < -tolerance
