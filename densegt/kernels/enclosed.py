"""Pixels where a far surface appears through a gap in a near one."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(cache=True, nogil=True)
def enclosed(
    depth_m: NDArray[np.float32],
    radius_px: int,
    relative: float,
    absolute_m: float,
    out: NDArray[np.bool_],
) -> None:
    """Mark pixels with nearer surface on both sides, within `radius_px`, along three of the four lines through them.

    Nearer means by more than `absolute_m + relative z`. A gap between two scan lines on one object is enclosed along
    its columns and both diagonals; background beside an outline is not enclosed along any line.

    Args:
        depth_m: (H,W), infinity = unknown. Unknown pixels are not marked.
        out: (H,W), written everywhere.
    """
    height_px, width_px = depth_m.shape
    step_row = (0, 1, 1, 1)
    step_col = (1, 0, 1, -1)
    for row in range(height_px):
        for col in range(width_px):
            out[row, col] = False
            z = depth_m[row, col]
            if not z < np.inf:
                continue
            limit = z * (1 - relative) - absolute_m
            lines = 0
            for d in range(4):
                # Two lines that are not enclosed decide.
                if lines < d - 1:
                    break
                sides = 0
                for sign in (1, -1):
                    for s in range(1, radius_px + 1):
                        r, c = row + sign * s * step_row[d], col + sign * s * step_col[d]
                        if r < 0 or c < 0 or r >= height_px or c >= width_px:
                            break
                        if depth_m[r, c] < limit:
                            sides += 1
                            break
                    if sides == 0:
                        break
                lines += sides == 2
            out[row, col] = lines >= 3
