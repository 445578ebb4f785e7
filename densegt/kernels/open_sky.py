"""Sky in an image: bright, not yellowish, connected to the upper border, far from all measured pixels."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

MAX_BLUE = 20


@njit(cache=True, nogil=True)
def open_sky(
    image: NDArray[np.uint8],
    guide: NDArray[np.uint8],
    above: NDArray[np.int64],
    below: NDArray[np.int64],
    min_brightness: int,
    max_yellow: int,
    max_step: int,
    min_key: int,
    out: NDArray[np.bool_],
) -> None:
    """Mark sky in `out` (H,W), a flood fill from the upper border down and along rows, never up.

    Args:
        image: (H,W,3) RGB; the brightest channel of sky, plus twice the excess of blue over red (at most MAX_BLUE), is
            at least `min_brightness`. Red exceeds blue by at most `max_yellow`.
        guide: (H,W) brightness; it changes by at most `max_step` from one pixel of sky to the next.
        above, below: (H,W) keys of `nearest_measured`, at least `min_key` in sky.
    """
    height_px, width_px = guide.shape
    out[:] = False
    for row in range(height_px):
        found = False
        for step in (1, -1):
            for k in range(width_px):
                col = k if step > 0 else width_px - 1 - k
                if out[row, col]:
                    continue
                joined = row == 0 or (out[row - 1, col] and _alike(guide, row, col, row - 1, col, max_step))
                if not joined:
                    side = col - step
                    joined = 0 <= side < width_px and out[row, side] and _alike(guide, row, col, row, side, max_step)
                if not joined or above[row, col] < min_key or below[row, col] < min_key:
                    continue
                red, green, blue = image[row, col, 0], image[row, col, 1], image[row, col, 2]
                # Unsigned numbers would not go below zero.
                bluer = np.int64(blue) - np.int64(red)
                bright = max(red, green, blue) + 2 * min(max(bluer, np.int64(0)), np.int64(MAX_BLUE))
                if bright >= min_brightness and -bluer <= max_yellow:
                    out[row, col] = True
                    found = True
        if not found:
            return


@njit(cache=True, nogil=True, inline="always")
def _alike(guide: NDArray[np.uint8], row: int, col: int, other_row: int, other_col: int, max_step: int) -> bool:
    step = abs(np.int64(guide[row, col]) - np.int64(guide[other_row, other_col]))
    return bool(step <= max_step)
