"""Slow twins of densegt.kernels.open_sky."""

from __future__ import annotations

import numpy as np


def open_sky(image, guide, above, below, min_brightness, max_yellow, max_step, min_key, out):
    height, width = guide.shape
    able = np.zeros(guide.shape, bool)
    for row in range(height):
        for col in range(width):
            red, green, blue = (int(value) for value in image[row, col])
            bright = max(red, green, blue) + 2 * min(max(blue - red, 0), 20) >= min_brightness
            bright = bright and red - blue <= max_yellow
            able[row, col] = bright and above[row, col] >= min_key and below[row, col] >= min_key
    out[:] = False
    for row in range(height):
        for col in range(width):
            if able[row, col]:
                change = abs(int(guide[row, col]) - int(guide[row - 1, col])) if row else 0
                out[row, col] = row == 0 or (out[row - 1, col] and change <= max_step)
        while True:
            before = out[row].copy()
            for col in range(width):
                for side in (col - 1, col + 1):
                    if able[row, col] and 0 <= side < width and out[row, side]:
                        out[row, col] |= abs(int(guide[row, col]) - int(guide[row, side])) <= max_step
            if (out[row] == before).all():
                break
