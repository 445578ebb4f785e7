"""Slow twins of densegt.kernels.farthest_around."""

from __future__ import annotations

import numpy as np

from densegt.kernels.nearest_measured import NOWHERE


def farthest_around(inverse, keys, out):
    above, below, left, right = keys
    for (row, col), own in np.ndenumerate(inverse):
        around = [(above[row, col], 1), (below[row, col], 1), (left[col, row], -1), (right[col, row], -1)]
        named = [((int(k) >> 16) & 0xFFFF, int(k) & 0xFFFF)[::turn] for k, turn in around if k < NOWHERE]
        out[row, col] = min(inverse[at] for at in named) if named and own == 0 else 0
