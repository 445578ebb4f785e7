"""Weighted mean of the surfels of the front surface."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from densegt.kernels.layer_buffer import BEFORE, BEST, BEST_WEIGHT, FARTHEST, LANES, WEIGHT, WEIGHTED_DEPTH
from densegt.kernels.surfel import ProjectedSurfels


@njit(cache=True, nogil=True, error_model="numpy")
def blend_surfels(
    surfels: ProjectedSurfels,
    which: NDArray[np.int32],
    farthest: NDArray[np.float32],
    buffer: NDArray[np.float32],
    reaches_behind: NDArray[np.bool_],
) -> None:
    """Add depth and weight of each surfel to the pixels where it lies on the front surface.

    The weight is (1-|a|)(1-|e|) at surfel coordinates a, e scaled to the reach, divided by the surfel's area: linear
    interpolation between two neighbours of one sweep, and fine surfels outweigh coarse ones.

    Args:
        which: (L,) rows of the projected surfels.
        farthest: (H,B), maximum of FARTHEST over each strip.
        buffer: (H,B,6*16), see `clear_layer_buffer`; surfels between BEFORE and FARTHEST (1/m) count.
        reaches_behind: (L,), whether the surfel may cover a pixel behind FARTHEST.
    """
    planes, bounds = surfels.planes, surfels.bounds
    one = np.float32(1)
    for m in range(len(which)):
        i = which[m]
        row_lo, row_hi, col_lo, col_hi = bounds[i, 0], bounds[i, 1], bounds[i, 2], bounds[i, 3]
        p = planes[i]
        w_col, a_col, e_col = p[1], p[4], p[7]
        per_a_hi, per_a_lo, per_e_hi, per_e_lo, scale = p[9], p[10], p[11], p[12], p[13]
        # Stored bit by bit.
        index = np.int32(i).view(np.float32)
        last = np.float32(col_hi - col_lo)
        behind = False
        for row in range(row_lo, row_hi + 1):
            down = np.float32(row - row_lo)
            w_row, a_row, e_row = p[0] + p[2] * down, p[3] + p[5] * down, p[6] + p[8] * down
            w_least = min(w_row, w_row + w_col * last)
            for strip in range(col_lo // LANES, col_hi // LANES + 1):
                behind |= w_least < farthest[row, strip]
                here = buffer[row, strip]
                first = np.float32(strip * LANES - col_lo)
                for k in range(LANES):
                    x = first + np.float32(np.uint32(k))
                    w = w_row + w_col * x
                    z = one / w
                    a, e = (a_row + a_col * x) * z, (e_row + e_col * x) * z
                    a, e = max(a * per_a_hi, -a * per_a_lo), max(e * per_e_hi, -e * per_e_lo)
                    inside = (w > 0) & (a < one) & (e < one) & (x >= 0) & (x <= last)
                    counts = inside & (w < here[BEFORE + k]) & (w >= here[FARTHEST + k])
                    weight = scale * (one - a) * (one - e) if counts else np.float32(0)
                    here[WEIGHTED_DEPTH + k] += weight * z if counts else np.float32(0)
                    here[WEIGHT + k] += weight
                    more = weight > here[BEST_WEIGHT + k]
                    here[BEST_WEIGHT + k] = weight if more else here[BEST_WEIGHT + k]
                    here[BEST + k] = index if more else here[BEST + k]
        reaches_behind[m] = behind
