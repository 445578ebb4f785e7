"""Slow twins of densegt.kernels.nearest_measured."""

from __future__ import annotations

from densegt.kernels.nearest_measured import BRIGHTNESS, DIAGONAL, NOWHERE, STRAIGHT


def nearest_above(guide, inverse, out):
    height, width = guide.shape
    for row in range(height):
        for col in range(width):
            ways = [(0, row, col)] if inverse[row, col] > 0 else []
            for c in (col - 1, col, col + 1):
                if row > 0 and 0 <= c < width and out[row - 1, c] < NOWHERE:
                    key = int(out[row - 1, c])
                    step = STRAIGHT if c == col else DIAGONAL
                    change = abs(int(guide[row, col]) - int(guide[row - 1, c]))
                    ways.append(((key >> 32) + step + BRIGHTNESS * change, (key >> 16) & 0xFFFF, key & 0xFFFF))
            far, r, c = min(ways) if ways else (NOWHERE >> 32, 0, 0)
            out[row, col] = (far << 32) + (r << 16) + c


def nearest_below(guide, inverse, out):
    """Upside down; only the rows in the keys, and with them the order of ties, are of the image as it is."""
    height, width = guide.shape
    for row in range(height - 1, -1, -1):
        for col in range(width):
            ways = [(0, row, col)] if inverse[row, col] > 0 else []
            for c in (col - 1, col, col + 1):
                if row + 1 < height and 0 <= c < width and out[row + 1, c] < NOWHERE:
                    key = int(out[row + 1, c])
                    step = STRAIGHT if c == col else DIAGONAL
                    change = abs(int(guide[row, col]) - int(guide[row + 1, c]))
                    ways.append(((key >> 32) + step + BRIGHTNESS * change, (key >> 16) & 0xFFFF, key & 0xFFFF))
            far, r, c = min(ways) if ways else (NOWHERE >> 32, 0, 0)
            out[row, col] = (far << 32) + (r << 16) + c
