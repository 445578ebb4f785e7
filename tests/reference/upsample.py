"""Slow twins of densegt.kernels.upsample."""

from __future__ import annotations

import numpy as np


def upsample(grid, confidence, step, relative, points, source, age_s, surface, out):
    """Pixel by pixel: its cell, its place there, the depth of the cell's plane, then its own point."""
    for r, c in np.ndindex(points.point.shape):
        cell = r // step, c // step
        for layer in out:
            layer[r, c] = 0
        if grid.depth_m[cell] <= 0:
            continue
        z, i, p = float(grid.depth_m[cell]), grid.surfel[cell], points.point[r, c]
        off = [((at + 0.5) / step - (box + 0.5)) for at, box in ((c, cell[1]), (r, cell[0]))]
        inverse = 1 / z + grid.inverse_slope[cell].astype(float) @ off
        if 1 / (1 + relative) <= 1 / (z * inverse) <= 1 + relative:
            z = 1 / inverse
        own = p >= 0 and z / (1 + relative) <= points.depth_m[r, c] <= z * (1 + relative)
        if own:
            z, i = points.depth_m[r, c], p
        out.depth_m[r, c], out.source[r, c] = z, source[i] if own else surface
        out.age_s[r, c], out.confidence[r, c] = age_s[i] if i >= 0 else 0, confidence[cell]
