"""Points in oriented boxes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(cache=True, nogil=True)
def points_in_boxes(
    xyz: NDArray[np.floating[Any]], boxes: NDArray[np.floating[Any]], out: NDArray[np.int64], counts: NDArray[np.int64]
) -> None:
    """Fill `out` (P,K) with the rows of `xyz` (N,3) of the first K points in each box, `counts` (P,) with their number.

    If there are fewer they are repeated cyclically; if there is none all are 0.

    Args:
        boxes: (P,7) centre x, y, z, size l, w, h in m, yaw in rad; faces are inside.
    """
    for p in range(len(boxes)):
        c, s = math.cos(boxes[p, 6]), math.sin(boxes[p, 6])
        half_l, half_w, half_h = boxes[p, 3] / 2, boxes[p, 4] / 2, boxes[p, 5] / 2
        count = 0
        for i in range(len(xyz)):
            dx, dy, dz = xyz[i, 0] - boxes[p, 0], xyz[i, 1] - boxes[p, 1], xyz[i, 2] - boxes[p, 2]
            if abs(dz) <= half_h and abs(c * dx + s * dy) <= half_l and abs(c * dy - s * dx) <= half_w:
                out[p, count] = i
                count += 1
                if count == out.shape[1]:
                    break
        counts[p] = count
        for k in range(count, out.shape[1]):
            out[p, k] = out[p, k - count] if count else 0
