"""Slow twins of densegt.kernels.ground_cells."""

from __future__ import annotations

import numpy as np


def ground_cells(xyz, tangents, usable, corner, cell_m, min_up, layer_m, out):
    out[:] = np.nan
    up = np.abs(np.cross(tangents[:, 0], tangents[:, 1])[:, 2])
    cell = np.floor((xyz[:, :2] - corner) / cell_m)
    for at in np.ndindex(out.shape):
        z = xyz[usable & (up >= min_up) & (cell == at).all(axis=1), 2].astype(np.float64)
        if len(z):
            out[at] = z[z <= z.min() + layer_m].mean()
