"""Votes of measured pixels for the depth of the pixels around them."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(cache=True, nogil=True)
def plane_votes(
    depth_m: NDArray[np.float32],
    measured: NDArray[np.bool_],
    inverse_slope: NDArray[np.float32],
    radius_px: int,
    relative: float,
    absolute_m: float,
    agree: NDArray[np.uint16],
    farther: NDArray[np.uint16],
) -> None:
    """Count, for each known pixel, the measured pixels around it whose plane passes through it, or behind it.

    Inverse depth is linear on the image of a plane, so a measured pixel predicts the depth of every other pixel of its
    surface. It agrees if the difference is at most `absolute_m + relative z`.

    Args:
        depth_m: (H,W), 0 = unknown.
        measured: (H,W), pixels that vote.
        inverse_slope: (H,W,2) d(1/z)/du, d(1/z)/dv at measured pixels, 1/(m px).
        radius_px: half side of the square around a pixel, without the pixel itself.
        agree, farther: out (H,W), zero at first.
    """
    height_px, width_px = depth_m.shape
    for row in range(height_px):
        for col in range(width_px):
            if not measured[row, col]:
                continue
            inverse = 1 / depth_m[row, col]
            du, dv = inverse_slope[row, col, 0], inverse_slope[row, col, 1]
            for r in range(max(row - radius_px, 0), min(row + radius_px + 1, height_px)):
                along = inverse + dv * (r - row)
                for c in range(max(col - radius_px, 0), min(col + radius_px + 1, width_px)):
                    z = depth_m[r, c]
                    if not z > 0 or (r == row and c == col):
                        continue
                    # z / predicted - 1; beyond the horizon of a plane the predicted inverse depth is negative.
                    off = z * (along + du * (c - col)) - 1
                    tolerance = relative + absolute_m / z
                    if off < -tolerance:
                        farther[r, c] += 1
                    elif off <= tolerance:
                        agree[r, c] += 1
