"""Slow twins of densegt.kernels.march_rays."""

from __future__ import annotations

from itertools import pairwise

import numpy as np


def pieces(start, unit, length, shape):
    """The voxels of a ray in order, each with where the ray enters and leaves it: between all borders, sorted."""
    crossings = [0.0, length]
    for axis in range(3):
        if unit[axis] != 0:
            crossings += [(k - start[axis]) / unit[axis] for k in range(shape[axis] + 1)]
    crossings = np.unique([t for t in crossings if 0 <= t <= length])
    for enter, leave in pairwise(crossings):
        if leave - enter < 1e-12:
            continue
        voxel = tuple(np.floor(start + unit * (enter + leave) / 2).astype(int).tolist())
        if all(0 <= v < n for v, n in zip(voxel, shape, strict=True)):
            yield voxel, enter, leave


def march_rays(start, directions, reach, blocked, seen, met):
    met[:] = np.inf
    for i, unit in enumerate(directions):
        if not np.isfinite(unit).all():
            continue
        for voxel, enter, _ in pieces(start, unit, reach[i], blocked.shape):
            seen[voxel] = 1
            if blocked[voxel]:
                met[i] = enter
                break
