"""Which voxels cameras see: rays through their pixels, each up to the first occupied voxel."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from densegt.datasets.scene import Camera
from densegt.kernels.march_rays import march_rays

Float64 = NDArray[np.float64]

# Neighbouring rays lie no farther apart than so many voxels at the grid's far end.
APART = 1.0


def seen_by_cameras(
    cameras: Sequence[Camera], T_voxel_global: Float64, blocked: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Voxels (X,Y,Z) on the way of a ray of some camera, each from where it was when it exposed.

    Args:
        blocked: (X,Y,Z), where rays end; what they end in is seen.
    """
    seen = np.zeros(blocked.shape, np.uint8)
    for camera in cameras:
        T_voxel_cam = T_voxel_global @ camera.T_global_cam
        start = np.ascontiguousarray(T_voxel_cam[:3, 3])
        step = pixel_step(camera, farthest(start, blocked.shape))
        rays = pixel_rays(camera.K, camera.width_px, camera.height_px, step)
        directions = unit_rays(rays @ T_voxel_cam[:3, :3].T)
        march_rays(start, directions, np.full(len(rays), np.inf), blocked, seen, np.empty(len(rays)))
    return seen.astype(np.bool_)


def seen_by_rays(start: Float64, rays: Float64, reach: Float64, seen: NDArray[np.uint8]) -> None:
    """Mark voxels (X,Y,Z) on the way of rays (N,3) from one place (3,), each as far as it reaches (N,), in voxels."""
    open_way = np.zeros(seen.shape, np.bool_)
    march_rays(np.ascontiguousarray(start), unit_rays(rays), reach, open_way, seen, np.empty(len(rays)))


def pixel_rays(K: Float64, width_px: int, height_px: int, step: int) -> Float64:
    """Rays (N,3) in cam, z = 1, through the middles of every so many pixels, and along the image's borders."""
    u, v = (np.append(np.arange(0, size - 1, step), size - 1) for size in (width_px, height_px))
    uv = np.stack(np.meshgrid(u, v), axis=-1).reshape(-1, 2)
    rays: Float64 = np.column_stack([uv, np.ones(len(uv))]) @ np.linalg.inv(K).T
    return rays


def pixel_step(camera: Camera, farthest_voxels: float) -> int:
    """Pixels between rays that are close enough together as far as that."""
    return max(1, int(APART / farthest_voxels * camera.K[0, 0]))


def farthest(start: Float64, shape: tuple[int, ...]) -> float:
    """Voxels from a place (3,) to the corner of the grid that is farthest away."""
    return float(np.linalg.norm(np.maximum(np.abs(start), np.abs(np.array(shape) - start))))


def unit_rays(rays: Float64) -> Float64:
    """Rays (N,3) of length 1."""
    out: Float64 = rays / np.linalg.norm(rays, axis=1, keepdims=True)
    return np.ascontiguousarray(out)
