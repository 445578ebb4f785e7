"""The values of a perfect network, number by number."""

from __future__ import annotations

import math

import torch

MEAN = (4.6, 1.95, 1.7)


def told(bins, boxes):
    """The values that tell these boxes, written out number by number."""
    n, k = bins.places, bins.headings
    out = torch.zeros(len(boxes), bins.numbers, dtype=torch.float64)
    for row, (x, y, z, length, width, height, yaw) in zip(out, boxes.tolist(), strict=True):
        side, turn = 2 * bins.search_m / n, 2 * bins.turn_rad / k
        for start, at, count, reach, cell in (
            (0, x, n, bins.search_m, side),
            (n, y, n, bins.search_m, side),
            (4 * n + 1, yaw, k, bins.turn_rad, turn),
        ):
            which = min(int((at + reach) / cell), count - 1)
            left = start + (2 * n if start < 2 * n else k)
            row[start + which], row[left + which] = 20.0, (at + reach) / cell - which - 0.5
        row[4 * n] = z
        row[-3:] = torch.tensor([math.log(a / b) for a, b in zip((length, width, height), MEAN, strict=True)])
    return out
