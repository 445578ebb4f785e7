"""Slow twins of densegt.kernels.enclosed."""

from __future__ import annotations

import numpy as np


def enclosed(depth_m, radius_px, relative, absolute_m, out):
    """Cut the eight arms of a star out of the image and ask each for anything nearer."""
    H, W = depth_m.shape
    for row in range(H):
        for col in range(W):
            out[row, col] = False
            if not np.isfinite(depth_m[row, col]):
                continue
            near_on = {}
            for dr in (-1, 0, 1):
                for dc in (-1, 0, 1):
                    steps = [(row + s * dr, col + s * dc) for s in range(1, radius_px + 1)]
                    arm = np.array([depth_m[r, c] for r, c in steps if 0 <= r < H and 0 <= c < W])
                    in_front = depth_m[row, col] - arm > absolute_m + relative * depth_m[row, col]
                    near_on[dr, dc] = bool(in_front.any())
            lines = [near_on[d] and near_on[-d[0], -d[1]] for d in ((0, 1), (1, 0), (1, 1), (1, -1))]
            out[row, col] = sum(lines) >= 3
