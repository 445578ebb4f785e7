"""Slow twins of densegt.kernels.visible_points."""

from __future__ import annotations

import numpy as np


def visible_points(xyz_cam, K, front_m, relative, absolute_m, step, out, cells):
    height, width = out.point.shape
    for i, (x, y, z) in enumerate(xyz_cam.astype(np.float64)):
        if not z > 0 or not np.isfinite([x, y, z]).all():
            continue
        col, row = (int(np.floor(p + 0.5)) for p in (K @ [x / z, y / z, 1])[:2])
        if not (0 <= col < width and 0 <= row < height):
            continue
        if z - relative * z - absolute_m > front_m[row // step, col // step]:
            continue
        if out.point[row, col] < 0 or xyz_cam[i, 2] < xyz_cam[out.point[row, col], 2]:
            out.point[row, col], out.depth_m[row, col] = i, xyz_cam[i, 2]

    # The nearest of each cell's pixels, of equally near ones the first point.
    for row, col in np.ndindex(cells.point.shape):
        box = slice(row * step, (row + 1) * step), slice(col * step, (col + 1) * step)
        pairs = zip(out.depth_m[box].ravel(), out.point[box].ravel(), strict=True)
        there = sorted((z, i) for z, i in pairs if i >= 0)
        cells.depth_m[row, col], cells.point[row, col] = there[0] if there else (np.inf, -1)
