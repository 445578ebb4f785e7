"""Slow twins of densegt.kernels.splat_surfels."""

from __future__ import annotations

import numpy as np

from densegt.kernels.layer_buffer import BEFORE, LANES, NEAREST


def covered(surfels, i):
    """Pixels in a projected surfel's bounds within its reach: (strip index, lane, w, a, e), a and e scaled to it."""
    plane, (row_lo, row_hi, col_lo, col_hi) = surfels.planes[i].astype(np.float64), surfels.bounds[i]
    for row in range(row_lo, row_hi + 1):
        for col in range(col_lo, col_hi + 1):
            w, wa, we = (plane[k] + plane[k + 1] * (col - col_lo) + plane[k + 2] * (row - row_lo) for k in (0, 3, 6))
            if not w > 0:
                continue
            a = wa / w * plane[9] if wa > 0 else -wa / w * plane[10]
            e = we / w * plane[11] if we > 0 else -we / w * plane[12]
            if a < 1 and e < 1:
                yield (row, col // LANES), col % LANES, w, a, e


def splat_surfels(surfels, which, buffer):
    for i in which:
        for strip, lane, w, _, _ in covered(surfels, i):
            if w < buffer[strip][BEFORE + lane]:
                buffer[strip][NEAREST + lane] = max(buffer[strip][NEAREST + lane], w)
