"""Slow twins of densegt.kernels.layer_buffer."""

from __future__ import annotations

import numpy as np

from densegt.kernels.layer_buffer import BEFORE, BEST, FARTHEST, LANES, NEAREST, WEIGHT, WEIGHTED_DEPTH


def widen_front(buffer, relative, absolute_m, farthest):
    with np.errstate(divide="ignore"):
        z = 1 / buffer[:, :, NEAREST : NEAREST + LANES].astype(np.float64)
    buffer[:, :, FARTHEST : FARTHEST + LANES] = 1 / (z * (1 + relative) + absolute_m)
    farthest[:] = buffer[:, :, FARTHEST : FARTHEST + LANES].max(axis=2, initial=0)


def read_layer_buffer(buffer, rows, out):
    for row, col in np.ndindex(out.depth_m.shape):
        strip, lane = buffer[row, col // LANES], col % LANES
        weight = strip[WEIGHT + lane]
        out.weight[row, col] = weight
        out.depth_m[row, col] = strip[WEIGHTED_DEPTH + lane] / weight if weight > 0 else np.inf
        out.best[row, col] = rows[strip[BEST + lane].view(np.int32)] if weight > 0 else -1


def next_layer(buffer, depth_m, relative, absolute_m):
    buffer[:] = 0
    for (row, col), z in np.ndenumerate(depth_m.astype(np.float64)):
        buffer[row, col // LANES, BEFORE + col % LANES] = 1 / (z * (1 + relative) + absolute_m)
