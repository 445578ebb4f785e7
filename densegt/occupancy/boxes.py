"""Voxels in a box."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from densegt.geometry import se3
from densegt.occupancy.grid import VoxelGrid

Float64 = NDArray[np.float64]
Voxels = tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]


def in_box(T_grid_box: Float64, size_lwh_m: Float64, grid: VoxelGrid, *, margin_m: float) -> tuple[Voxels, Float64]:
    """Indices (N,) along x, y, z of voxels whose centres lie in a box widened by a margin; these (N,3) in its frame."""
    reach = np.linalg.norm(size_lwh_m) / 2 + np.sqrt(3) * margin_m
    low, high = (
        np.floor((T_grid_box[:3, 3] + side * reach - np.array(grid.low_m)) / grid.voxel_m).astype(int)
        for side in (-1.0, 1.0)
    )
    axes = [np.arange(max(a, 0), min(b + 1, n)) for a, b, n in zip(low, high, grid.shape, strict=True)]
    voxels = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    xyz_box = se3.apply(se3.inverse(T_grid_box), (voxels + 0.5) * grid.voxel_m + np.array(grid.low_m))
    inside = (np.abs(xyz_box) <= size_lwh_m / 2 + margin_m).all(axis=1)
    x, y, z = voxels[inside].T
    return (x, y, z), xyz_box[inside]
