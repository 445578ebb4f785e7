"""Triangles into voxels: how much surface lies in each, and whose most of it is."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray


class VoxelSurface(NamedTuple):
    """What lies in each voxel (X,Y,Z).

    Attributes:
        area: float32, in faces of a voxel.
        owner: int32, the owner of most of it, -1 = none; lead: float32, by how much area it leads.
    """

    area: NDArray[np.float32]
    owner: NDArray[np.int32]
    lead: NDArray[np.float32]


@njit(cache=True, nogil=True, error_model="numpy")
def voxelise_triangles(corners: NDArray[np.float64], owner: NDArray[np.int32], step: float, out: VoxelSurface) -> None:
    """Add triangles (T,3,3) in voxels, voxel (i,j,k) being i to i + 1 and so on, to what lies in the voxels.

    Args:
        owner: (T,) whose each triangle is.
        step: voxels between the places of a triangle that are looked at, at most; each stands for an equal area.
    """
    shape = out.area.shape
    for i in range(len(corners)):
        a, b, c = corners[i, 0], corners[i, 1], corners[i, 2]
        outside = False
        for axis in range(3):
            low = min(a[axis], b[axis], c[axis])
            high = max(a[axis], b[axis], c[axis])
            outside |= not (low < shape[axis] and high >= 0)
        if outside:
            continue
        longest, u, v = 0.0, b - a, c - a
        for edge in (u, v, c - b):
            longest = max(longest, np.sqrt(edge[0] ** 2 + edge[1] ** 2 + edge[2] ** 2))
        x, y, z = u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]
        n = max(int(np.ceil(longest / step)), 1)
        # The middles of n x n like triangles: those that stand upright, and those between them.
        share = np.sqrt(x * x + y * y + z * z) / 2 / (n * n)
        for p in range(n):
            for q in range(2 * (n - p) - 1):
                upright = q % 2 == 0
                s = (p + (1 / 3 if upright else 2 / 3)) / n
                t = (q // 2 + (1 / 3 if upright else 2 / 3)) / n
                px = int(np.floor(a[0] + s * u[0] + t * v[0]))
                py = int(np.floor(a[1] + s * u[1] + t * v[1]))
                pz = int(np.floor(a[2] + s * u[2] + t * v[2]))
                if not (0 <= px < shape[0] and 0 <= py < shape[1] and 0 <= pz < shape[2]):
                    continue
                out.area[px, py, pz] += share
                # The vote that finds a majority in one pass.
                if out.owner[px, py, pz] == owner[i]:
                    out.lead[px, py, pz] += share
                elif out.lead[px, py, pz] >= share:
                    out.lead[px, py, pz] -= share
                else:
                    out.owner[px, py, pz] = owner[i]
                    out.lead[px, py, pz] = share - out.lead[px, py, pz]
