"""Slow twins of densegt.kernels.visible_points."""

from __future__ import annotations

import numpy as np


def visible_points(xyz_cam, K, front_m, relative, absolute_m, step, shown, shown_m):
    for i, (x, y, z) in enumerate(xyz_cam.astype(np.float64)):
        if not z > 0 or not np.isfinite([x, y, z]).all():
            continue
        col, row = (int(np.floor(p + 0.5)) for p in (K @ [x / z, y / z, 1])[:2])
        if not (0 <= col < shown.shape[1] and 0 <= row < shown.shape[0]):
            continue
        if z - relative * z - absolute_m > front_m[row // step, col // step]:
            continue
        if shown[row, col] < 0 or xyz_cam[i, 2] < xyz_cam[shown[row, col], 2]:
            shown[row, col], shown_m[row, col] = i, xyz_cam[i, 2]


def nearest_of_cell(points, points_m, step, shown, shown_m):
    for row, col in np.ndindex(shown.shape):
        box = slice(row * step, (row + 1) * step), slice(col * step, (col + 1) * step)
        there = sorted((m, i) for m, i in zip(points_m[box].ravel(), points[box].ravel(), strict=True) if i >= 0)
        shown_m[row, col], shown[row, col] = there[0] if there else (np.inf, -1)
