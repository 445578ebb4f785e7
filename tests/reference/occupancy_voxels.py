"""Slow twins of densegt.kernels.occupancy_voxels."""

from __future__ import annotations

from itertools import product

import numpy as np


def number_voxels(xyz, span, out):
    out[:] = -1
    for i, point in enumerate(xyz):
        at = point[::-1]
        if np.all((at >= span.corner_m) & (at < span.end_m)):
            for axis in range(3):
                count = round((span.end_m[axis] - span.corner_m[axis]) / span.sides_m[axis])
                edges = span.corner_m[axis] + np.arange(count + 1, dtype=np.float32) * span.sides_m[axis]
                out[i, axis] = np.flatnonzero(edges <= at[axis])[-1]


def count_voxels(numbers, out):
    inside = numbers[numbers[:, 0] >= 0]
    np.add.at(out, tuple(inside.T), 1)


def soft_voxels(xyz, numbers, counts, span, sigma_m, out):
    for point, number in zip(xyz.astype(np.float64), numbers, strict=True):
        if number[0] < 0:
            continue
        for step in product((-1, 0, 1), repeat=3):
            to = number + step
            if np.any(to < 0) or np.any(to >= out.shape):
                continue
            centre = span.corner_m.astype(np.float64) + (to + 0.5) * span.sides_m
            bell = np.exp(-np.sum((point[::-1] - centre) ** 2) / sigma_m**2) / counts[tuple(number)]
            out[tuple(to)] += bell if step == (0, 0, 0) else bell / 26
