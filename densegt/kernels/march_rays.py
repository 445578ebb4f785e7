"""Rays through a grid of voxels, up to the first that is blocked."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from densegt.kernels.voxel_traversal import borders_ahead, is_inside, next_voxel, strides, voxel_at, way_inside


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
    place = (start[0], start[1], start[2])
    for i in range(len(directions)):
        met[i] = np.inf
        unit = (directions[i, 0], directions[i, 1], directions[i, 2])
        now, leave = way_inside(place, unit, reach[i], shape)
        if not now < leave:
            continue
        at = voxel_at(place, unit, now, shape)
        borders, (apart, side) = borders_ahead(place, unit, at), strides(unit)
        while now < leave and is_inside(at, shape):
            seen[at[0], at[1], at[2]] = 1
            if blocked[at[0], at[1], at[2]]:
                met[i] = now
                break
            now = min(borders[0], borders[1], borders[2])
            at, borders = next_voxel(at, borders, apart, side)
