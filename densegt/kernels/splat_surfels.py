"""Splatting of surfels: the nearest at each pixel."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from densegt.kernels.layer_buffer import BEFORE, LANES, NEAREST
from densegt.kernels.surfel import ProjectedSurfels


@njit(cache=True, nogil=True, error_model="numpy")
def splat_surfels(surfels: ProjectedSurfels, which: NDArray[np.int32], buffer: NDArray[np.float32]) -> None:
    """Raise NEAREST (1/m) of a layer buffer to the inverse depth of the nearest surfel beyond BEFORE.

    Args:
        which: (L,) rows of the projected surfels.
        buffer: (H,B,6*16), see `clear_layer_buffer`.
    """
    planes, bounds = surfels.planes, surfels.bounds
    for m in range(len(which)):
        i = which[m]
        row_lo, row_hi, col_lo, col_hi = bounds[i, 0], bounds[i, 1], bounds[i, 2], bounds[i, 3]
        p = planes[i]
        w_col, a_col, e_col = p[1], p[4], p[7]
        # Signed, so that each of the four edges is one comparison.
        a_hi, a_lo, e_hi, e_lo = p[9], -p[10], p[11], -p[12]
        for row in range(row_lo, row_hi + 1):
            down = np.float32(row - row_lo)
            w_row, a_row, e_row = p[0] + p[2] * down, p[3] + p[5] * down, p[6] + p[8] * down
            for strip in range(col_lo // LANES, col_hi // LANES + 1):
                here = buffer[row, strip]
                first, last = np.float32(strip * LANES - col_lo), np.float32(col_hi - col_lo)
                for k in range(LANES):
                    x = first + np.float32(np.uint32(k))
                    w, a, e = w_row + w_col * x, a_row + a_col * x, e_row + e_col * x
                    inside = (a * a_hi < w) & (a * a_lo < w) & (e * e_hi < w) & (e * e_lo < w) & (x >= 0) & (x <= last)
                    covered = inside & (w < here[BEFORE + k]) & (w > here[NEAREST + k])
                    here[NEAREST + k] = w if covered else here[NEAREST + k]
