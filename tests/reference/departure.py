"""Slow twins of densegt.kernels.departure."""

from __future__ import annotations


def departure(inverse, step_px, out):
    height, width = inverse.shape
    for row in range(height):
        for col in range(width):
            values = [0.0]
            for dr, dc in ((step_px, 0), (0, step_px)):
                ends = [(row - dr, col - dc), (row + dr, col + dc)]
                if all(0 <= r < height and 0 <= c < width for r, c in ends):
                    a, b = (inverse[end] for end in ends)
                    if a > 0 and b > 0 and inverse[row, col] > 0:
                        values.append(float((a + b) / 2 - inverse[row, col]))
            out[row, col] = max(values, key=abs)
