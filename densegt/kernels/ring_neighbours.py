"""Left, right, upper and lower neighbours of each return of a sweep."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(cache=True)
def ring_neighbours(
    ring_start: NDArray[np.int64],
    azimuth: NDArray[np.float32],
    max_step_rad: float,
    out: NDArray[np.int32],
) -> None:
    """Fill `out` (N,4) with the rows of the left, right, upper and lower neighbour, -1 = none.

    Args:
        ring_start: (R+1,) first row of each ring; rings from the lowest beam to the highest.
        azimuth: (N,) rad in [-pi, pi], increasing within a ring.
        max_step_rad: greatest difference in azimuth.
    """
    turn = np.float32(2 * np.pi)
    rings = len(ring_start) - 1
    for r in range(rings):
        first, last = ring_start[r], ring_start[r + 1]
        for i in range(first, last):
            left = i + 1 if i + 1 < last else first
            right = i - 1 if i > first else last - 1
            out[i, 0] = left if 0 < (azimuth[left] - azimuth[i]) % turn <= max_step_rad else -1
            out[i, 1] = right if 0 < (azimuth[i] - azimuth[right]) % turn <= max_step_rad else -1
        for side in range(2):
            other = r + 1 - 2 * side
            if other < 0 or other >= rings or ring_start[other] == ring_start[other + 1]:
                out[first:last, 2 + side] = -1
                continue
            lo, hi = ring_start[other], ring_start[other + 1]
            j = lo
            for i in range(first, last):
                while j < hi and azimuth[j] < azimuth[i]:
                    j += 1
                after = j if j < hi else lo
                before = j - 1 if j > lo else hi - 1
                ahead = (azimuth[after] - azimuth[i]) % turn
                behind = (azimuth[i] - azimuth[before]) % turn
                if ahead < behind:
                    out[i, 2 + side] = after if ahead <= max_step_rad else -1
                else:
                    out[i, 2 + side] = before if behind <= max_step_rad else -1
