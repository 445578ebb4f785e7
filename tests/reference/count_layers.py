"""Slow twins of densegt.kernels.count_layers."""

from __future__ import annotations

import numpy as np


def count_layers(xyz_cam, counted, K, front_m, relative, absolute_m, on, behind):
    for (x, y, z), use in zip(xyz_cam.astype(float), counted, strict=True):
        if not use or not z > 0:
            continue
        col, row = (int(np.floor(v + 0.5)) for v in (K[0, 0] * x / z + K[0, 2], K[1, 1] * y / z + K[1, 2]))
        if 0 <= row < front_m.shape[0] and 0 <= col < front_m.shape[1]:
            (behind if z * (1 - relative) - absolute_m > front_m[row, col] else on)[row, col] += 1
