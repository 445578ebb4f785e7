"""Slow twins of densegt.kernels.splat_voxels."""

from __future__ import annotations

import numpy as np

MOST = 8


def places(back, ahead, scale, step):
    """Middles of equal parts of a line from -back to ahead; the surfel's own place if one part is enough."""
    count = min(max(int(np.ceil((back + ahead) * scale / step)), 1), MOST)
    return (np.arange(count) + 0.5) / count * (back + ahead) - back if count > 1 else np.zeros(1)


def splat_voxels(patches, rows, T_voxel_src, step, hits):
    scale = np.linalg.norm(T_voxel_src[:3, 0])
    for row in rows:
        half = patches.half_m[row]
        u = places(half[1], half[0], scale, step)
        v = places(half[3], half[2], scale, step)
        first, second = patches.tangents[row].astype(np.float64)
        xyz = patches.xyz[row] + u[:, None, None] * first + v[None, :, None] * second
        voxels = np.floor(xyz.reshape(-1, 3) @ T_voxel_src[:3, :3].T + T_voxel_src[:3, 3])
        inside = ((voxels >= 0) & (voxels < hits.shape)).all(axis=1)
        for voxel in {tuple(v) for v in voxels[inside].astype(int).tolist()}:
            hits[voxel] = min(int(hits[voxel]) + 1, 65535)
