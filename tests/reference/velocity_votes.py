"""Slow twins of densegt.kernels.velocity_votes."""

from __future__ import annotations

from itertools import pairwise

import numpy as np


def velocity_votes(xy, others, since_s, first, step_mps, reach_m, cell_m, out):
    """Distances between the cells of the map, which begins at an even number of half cells from the middle."""
    half = out.shape[1] // 2
    out[:] = 0
    for k, (begin, end) in enumerate(pairwise(first)):
        if begin == end:
            continue
        dt = float(since_s[begin:end].mean())
        cells = 2 * int(np.ceil((np.abs(xy).max() + half * step_mps * abs(dt) + reach_m) / cell_m)) + 1
        low = -cells * cell_m / 2
        there = np.floor((others[begin:end] - low) / cell_m)
        for g, h in np.ndindex(out.shape[1:]):
            moved = np.floor((xy + (np.array([g, h]) - half) * step_mps * dt - low) / cell_m)
            squared = ((moved[:, None] - there) ** 2).sum(axis=2).min(axis=1)
            out[k, g, h] = (squared <= np.ceil(reach_m / cell_m) ** 2).mean()
