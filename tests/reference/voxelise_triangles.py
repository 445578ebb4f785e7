"""Slow twins of densegt.kernels.voxelise_triangles."""

from __future__ import annotations

import numpy as np


def like_triangles(n):
    """Middles (n*n,2) of the like triangles that edges cut into n parts make of one."""
    upright = [(p + 1 / 3, q + 1 / 3) for p in range(n) for q in range(n - p)]
    between = [(p + 2 / 3, q + 2 / 3) for p in range(n) for q in range(n - p - 1)]
    return np.array(upright + between) / n


def voxelise_triangles(corners, owner, step, out):
    """Areas by whose they are; the vote's lead is not told by this twin, only the owner of more than half."""
    by_owner = {}
    for (a, b, c), whose in zip(corners, owner, strict=True):
        sides = np.linalg.norm([b - a, c - b, a - c], axis=1)
        middles = like_triangles(max(int(np.ceil(sides.max() / step)), 1))
        share = np.linalg.norm(np.cross(b - a, c - a)) / 2 / len(middles)
        voxels = np.floor(a + middles[:, :1] * (b - a) + middles[:, 1:] * (c - a))
        inside = ((voxels >= 0) & (voxels < out.area.shape)).all(axis=1)
        for voxel in map(tuple, voxels[inside].astype(int).tolist()):
            out.area[voxel] += share
            mine = by_owner.setdefault(voxel, {})
            mine[int(whose)] = mine.get(int(whose), 0.0) + share
    for voxel, areas in by_owner.items():
        best = max(areas, key=areas.get)
        out.lead[voxel] = 2 * areas[best] - sum(areas.values())
        out.owner[voxel] = best if out.lead[voxel] > 1e-6 else -1
