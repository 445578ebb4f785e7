"""Rays through a grid of voxels, up to the first that is blocked."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(cache=True, nogil=True, error_model="numpy")
def march_rays(
    start: NDArray[np.float64],
    directions: NDArray[np.float64],
    reach: NDArray[np.float64],
    blocked: NDArray[np.bool_],
    seen: NDArray[np.uint8],
    met: NDArray[np.float64],
) -> None:
    """Follow rays from one place through the voxels, each to the first blocked one or as far as it reaches.

    Args:
        start: (3,) in voxels, voxel (i,j,k) being i to i + 1 and so on; directions: (N,3), unit.
        reach: (N,) voxels.
        blocked: (X,Y,Z).
        seen: out (X,Y,Z), 1 is written where a ray comes, the blocked voxel included.
        met: out (N,) voxels from the start to where the ray enters a blocked voxel, inf = none.
    """
    shape = blocked.shape
    at, step = np.empty(3, dtype=np.int64), np.empty(3, dtype=np.int64)
    following, across = np.empty(3), np.empty(3)
    for i in range(len(directions)):
        met[i] = np.inf
        unit = directions[i]
        enter, leave = 0.0, reach[i]
        for axis in range(3):
            if unit[axis] == 0:
                if not 0 <= start[axis] < shape[axis]:
                    leave = -1.0
                continue
            first, second = -start[axis] / unit[axis], (shape[axis] - start[axis]) / unit[axis]
            enter, leave = max(enter, min(first, second)), min(leave, max(first, second))
        if not enter < leave:
            continue
        for axis in range(3):
            place = int(np.floor(start[axis] + unit[axis] * enter))
            at[axis] = min(max(place, 0), shape[axis] - 1)
            step[axis] = 1 if unit[axis] > 0 else -1
            across[axis] = 1 / abs(unit[axis])
            border = at[axis] + (1 if unit[axis] > 0 else 0)
            following[axis] = (border - start[axis]) / unit[axis] if unit[axis] != 0 else np.inf
        now = enter
        while now < leave:
            seen[at[0], at[1], at[2]] = 1
            if blocked[at[0], at[1], at[2]]:
                met[i] = now
                break
            axis = 0
            if following[1] < following[axis]:
                axis = 1
            if following[2] < following[axis]:
                axis = 2
            now = following[axis]
            at[axis] += step[axis]
            following[axis] += across[axis]
            if not 0 <= at[axis] < shape[axis]:
                break
