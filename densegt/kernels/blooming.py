"""Blooming: beams beside a dazzling retroreflector report its range instead of their own."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(cache=True, nogil=True)
def blooming(
    range_m: NDArray[np.float32],
    intensity: NDArray[np.float32],
    neighbours: NDArray[np.int32],
    steps: NDArray[np.int64],
    retro_intensity: float,
    share: float,
    out: NDArray[np.bool_],
) -> None:
    """Set `out` (N,) where a return is blooming of a retroreflector.

    From each of a retroreflector's returns dim ones at its range are followed to each side. If there are few of them,
    and then none or a farther one, they are blooming; where they go on, or something nearer follows, they are what it
    is fixed to.

    Args:
        range_m, intensity: (N,).
        neighbours: (N,4) rows left, right, up, down; -1 = none.
        steps: (4,) greatest width of it to each side, in beams.
        retro_intensity: least one of a retroreflector.
        share: blooming has less than so much of its intensity.
    """
    for i in range(len(range_m)):
        if intensity[i] < retro_intensity:
            continue
        tolerance_m = max(np.float32(0.3), np.float32(0.02) * range_m[i])
        for side in range(4):
            count, at = 0, i
            ends = False
            while count <= steps[side]:
                at = neighbours[at, side]
                if at < 0 or range_m[at] > range_m[i] + tolerance_m:
                    ends = True
                    break
                if not (abs(range_m[at] - range_m[i]) <= tolerance_m and intensity[at] < share * intensity[i]):
                    break
                count += 1
            if ends:
                at = i
                for _ in range(count):
                    at = neighbours[at, side]
                    out[at] = True
