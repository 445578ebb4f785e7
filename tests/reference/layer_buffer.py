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


def front_layer(first, second, moving, weak_share, out):
    for at in np.ndindex(out.depth_m.shape):
        weak = first.weight[at] < np.float32(weak_share) * second.weight[at]
        stands = first.best[at] < 0 or not moving[first.best[at]]
        for to, a, b in zip(out, first, second, strict=True):
            to[at] = b[at] if weak and stands else a[at]


def weight_per_angle(layer, moving, out, static):
    for at, best in np.ndenumerate(layer.best):
        out[at] = layer.weight[at] * layer.depth_m[at] ** 2 if best >= 0 else 0
        static[at] = 0 if best >= 0 and moving[best] else out[at]
