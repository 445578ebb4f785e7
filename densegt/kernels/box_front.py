"""Where lines of sight enter a box, and what lies behind it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Bool = NDArray[np.bool_]


class SeenBox(NamedTuple):
    """A box before a camera.

    Attributes:
        R_box_cam: (3,3); origin_box: (3,) m, the camera in box; half_m: (3,).
        lowest_m: of the middle of a line's way through the box, z in box.
        inside_m: how far behind the box what is seen still counts as inside.
    """

    R_box_cam: Float64
    origin_box: Float64
    half_m: Float64
    lowest_m: float
    inside_m: float


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def _crossing(x: float, y: float, box: SeenBox) -> tuple[float, float]:
    """Depths at which the line through (x, y, 1) enters and leaves the box, if it does so high enough; else NaN."""
    R, origin, half_m = box.R_box_cam, box.origin_box, box.half_m
    enters, leaves, up = -np.inf, np.inf, 0.0
    for axis in range(3):
        way = R[axis, 0] * x + R[axis, 1] * y + R[axis, 2]
        low, high = (-half_m[axis] - origin[axis]) / way, (half_m[axis] - origin[axis]) / way
        # Along a side, and on it: that side says nothing.
        if low == low and high == high:
            enters, leaves = max(enters, min(low, high)), min(leaves, max(low, high))
        up = way
    if enters > 0 and enters < leaves and origin[2] + up * (enters + leaves) / 2 > box.lowest_m:
        return enters, leaves
    return np.nan, np.nan


@njit(cache=True, nogil=True, error_model="numpy")
def box_front(
    depth_m: Float32, K: Float64, box: SeenBox, rows: tuple[int, int], cols: tuple[int, int], out: Float32
) -> None:
    """Write the depth (m) at which a pixel's line enters a box where its own depth lies inside; else leave it alone.

    Args:
        depth_m, out: (H,W).
        rows, cols: first one, and the one behind the last, that are looked at.
    """
    for row in range(rows[0], rows[1]):
        y = (row - K[1, 2]) / K[1, 1]
        for col in range(cols[0], cols[1]):
            z = depth_m[row, col]
            if z > 0:
                enters, leaves = _crossing((col - K[0, 2]) / K[0, 0], y, box)
                if z > enters and z < leaves + box.inside_m:
                    out[row, col] = enters


@njit(cache=True, nogil=True, error_model="numpy")
def box_behind(
    depth_m: Float32, K: Float64, box: SeenBox, rows: tuple[int, int], cols: tuple[int, int], out: Bool
) -> None:
    """Set where a pixel's line passes through a box and its depth lies behind; else leave it alone.

    Args:
        depth_m, out: (H,W).
        rows, cols: first one, and the one behind the last, that are looked at.
    """
    for row in range(rows[0], rows[1]):
        y = (row - K[1, 2]) / K[1, 1]
        for col in range(cols[0], cols[1]):
            z = depth_m[row, col]
            if z > 0:
                _, leaves = _crossing((col - K[0, 2]) / K[0, 0], y, box)
                if z > leaves + box.inside_m:
                    out[row, col] = True
