"""Overlap of oriented rectangles, by clipping."""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

Float64 = NDArray[np.float64]

# Greatest number of corners: eight, but rounding along a side may add a few.
ROOM = 32


@njit(cache=True, nogil=True, error_model="numpy")
def rotated_overlap(a: Float64, b: Float64, out: Float64) -> None:
    """Fill `out` (N,M) with the overlap, m², of rectangles `a` (N,5) and `b` (M,5).

    Args:
        a, b: centre x, y, length, width in m, yaw in rad; 0 if not finite.
    """
    polygon, clipped = np.empty((ROOM, 2)), np.empty((ROOM, 2))
    for i in range(len(a)):
        for j in range(len(b)):
            out[i, j] = overlap_m2(a[i], b[j], polygon, clipped)


@njit(cache=True, nogil=True, error_model="numpy")
def overlap_m2(a: Float64, b: Float64, polygon: Float64, clipped: Float64) -> float:
    """Overlap, m², of two rectangles (5,) (I. Sutherland, G. Hodgman, 1974), clipped in the first one's frame.

    Args:
        polygon, clipped: (ROOM,2) buffers.
    """
    dx, dy = b[0] - a[0], b[1] - a[1]
    apart = math.sqrt(dx * dx + dy * dy)
    reach = (math.sqrt(a[2] * a[2] + a[3] * a[3]) + math.sqrt(b[2] * b[2] + b[3] * b[3])) / 2
    # Not "apart >= reach": NaN must end here too.
    if not apart < reach:
        return 0.0
    c, s = math.cos(a[4]), math.sin(a[4])
    x, y = c * dx + s * dy, c * dy - s * dx
    c, s = math.cos(b[4] - a[4]), math.sin(b[4] - a[4])
    for k in range(4):
        ahead = b[2] / 2 if k == 0 or k == 3 else -b[2] / 2
        aside = b[3] / 2 if k < 2 else -b[3] / 2
        polygon[k, 0] = x + c * ahead - s * aside
        polygon[k, 1] = y + s * ahead + c * aside
    count = 4
    for axis in range(2):
        limit = a[2 + axis] / 2
        count = _clip(polygon, count, axis, 1.0, limit, clipped)
        count = _clip(clipped, count, axis, -1.0, limit, polygon)
    area = 0.0
    for k in range(count):
        after = k + 1 if k + 1 < count else 0
        area += polygon[k, 0] * polygon[after, 1] - polygon[after, 0] * polygon[k, 1]
    # Rounding may turn a sliver inside out; NaN is 0.
    return area / 2 if area > 0 else 0.0


@njit(cache=True, nogil=True, error_model="numpy")
def _clip(polygon: Float64, count: int, axis: int, side: float, limit: float, out: Float64) -> int:
    """Keep the part where side times the coordinate is at most `limit`; returns the number of corners."""
    kept = 0
    for k in range(count):
        after = k + 1 if k + 1 < count else 0
        here, there = limit - side * polygon[k, axis], limit - side * polygon[after, axis]
        if here >= 0:
            out[kept, 0], out[kept, 1] = polygon[k, 0], polygon[k, 1]
            kept += 1
        if (here > 0 and there < 0) or (here < 0 and there > 0):
            share = here / (here - there)
            for way in range(2):
                out[kept, way] = polygon[k, way] + share * (polygon[after, way] - polygon[k, way])
            kept += 1
    return kept
