"""Slow twins of densegt.kernels.slopes_across."""

from __future__ import annotations

import numpy as np


def slopes_across(inverse, reach_px, tolerance, out):
    height, width = inverse.shape
    measured = inverse > 0
    out[:] = 0
    for row, col in zip(*np.nonzero(measured), strict=True):
        around = [
            (r, c) for r in (row - 1, row + 1) for c in (col - 1, col, col + 1) if 0 <= r < height and 0 <= c < width
        ]
        if all(measured[where] for where in around):
            continue
        slopes = []
        for side in (-1, 1):
            alike = [
                (-k, r)
                for k in range(1, reach_px + 1)
                for r in (row - 1, row, row + 1)
                if 0 <= r < height
                and 0 <= col + side * k < width
                and measured[r, col + side * k]
                and abs(inverse[r, col + side * k] - inverse[row, col]) <= np.float32(tolerance) * inverse[row, col]
            ]
            if alike:
                k, r = min(alike)
                slopes.append((inverse[r, col - side * k] - inverse[row, col]) / np.float32(-side * k))
        if len(slopes) == 1:
            out[row, col] = slopes[0]
        elif len(slopes) == 2 and slopes[0] * slopes[1] > 0:
            out[row, col] = min(slopes, key=abs)
