"""Surfels into the voxels that they lie in."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

# Places of a surfel that are looked at, along each tangent.
MOST = 8


class Patches(NamedTuple):
    """Surfels (N): xyz (N,3), tangents (N,2,3), half_m (N,4), all float32, as in `densegt.accumulation.surfels`."""

    xyz: NDArray[np.float32]
    tangents: NDArray[np.float32]
    half_m: NDArray[np.float32]


@njit(cache=True, nogil=True, error_model="numpy")
def splat_voxels(
    patches: Patches, rows: NDArray[np.int64], T_voxel_src: NDArray[np.float64], step: float, hits: NDArray[np.uint16]
) -> None:
    """Add to `hits` (X,Y,Z) one for each surfel that lies in a voxel, up to 65535.

    Args:
        rows: (M,) of the surfels.
        T_voxel_src: (4,4) from the surfels' frame (m) to voxels.
        step: voxels between the places of a surfel that are looked at, at most; `MOST` of them in each direction.
    """
    shape = hits.shape
    scale = np.sqrt(T_voxel_src[0, 0] ** 2 + T_voxel_src[1, 0] ** 2 + T_voxel_src[2, 0] ** 2)
    middle, along = np.empty(3), np.empty((2, 3))
    seen = np.empty(MOST * MOST, dtype=np.int64)
    for row in rows:
        half, near = patches.half_m[row], True
        for axis in range(3):
            value = T_voxel_src[axis, 3]
            along[0, axis], along[1, axis] = 0.0, 0.0
            for k in range(3):
                value += T_voxel_src[axis, k] * patches.xyz[row, k]
                along[0, axis] += T_voxel_src[axis, k] * patches.tangents[row, 0, k]
                along[1, axis] += T_voxel_src[axis, k] * patches.tangents[row, 1, k]
            middle[axis] = value
            reach = scale * (max(half[0], half[1]) + max(half[2], half[3]))
            near &= (value > -reach) & (value < shape[axis] + reach)
        if not near:
            continue
        first, second = half[0] + half[1], half[2] + half[3]
        columns = min(max(int(np.ceil(first * scale / step)), 1), MOST)
        lines = min(max(int(np.ceil(second * scale / step)), 1), MOST)
        count = 0
        for a in range(columns):
            u = (a + 0.5) / columns * first - half[1] if columns > 1 else 0.0
            for b in range(lines):
                v = (b + 0.5) / lines * second - half[3] if lines > 1 else 0.0
                x = int(np.floor(middle[0] + u * along[0, 0] + v * along[1, 0]))
                y = int(np.floor(middle[1] + u * along[0, 1] + v * along[1, 1]))
                z = int(np.floor(middle[2] + u * along[0, 2] + v * along[1, 2]))
                if not (0 <= x < shape[0] and 0 <= y < shape[1] and 0 <= z < shape[2]):
                    continue
                voxel, fresh = (x * shape[1] + y) * shape[2] + z, True
                for k in range(count):
                    if seen[k] == voxel:
                        fresh = False
                        break
                if fresh:
                    seen[count] = voxel
                    count += 1
                    if hits[x, y, z] < 65535:
                        hits[x, y, z] += 1
