"""The z-buffer baseline of public code: all points of all sweeps projected, the nearest wins in each pixel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from densegt.accumulation.config import AccumulateConfig
from densegt.accumulation.render.frustum import MIN_DEPTH_M
from densegt.accumulation.render.projected_surfels import pinhole
from densegt.accumulation.sweep_returns import read_returns
from densegt.accumulation.timing import EgoPath, point_times, to_global
from densegt.datasets.scene import Camera, Scene
from densegt.geometry import se3
from densegt.kernels.frustum import select_in_frustum
from densegt.kernels.visible_points import ZBuffer, visible_points


@dataclass(frozen=True)
class GlobalReturns:
    """Every return of a scene, moving or not, where it was measured.

    Attributes:
        origin_global_m: (3,) float64, subtracted from global so that float32 suffices.
        xyz: (N,3) float32 m in global minus origin.
        sweep: (N,) int32 index into the scene's sweeps.
    """

    origin_global_m: NDArray[np.float64]
    xyz: NDArray[np.float32]
    sweep: NDArray[np.int32]


def global_returns(scene: Scene, config: AccumulateConfig) -> GlobalReturns:
    """The returns of every sweep, without those of the ego vehicle.

    Raises:
        InputError: a sweep cannot be read.
    """
    path, origin = EgoPath.of(scene), scene.sweeps[0].T_global_ego[:3, 3].copy()
    xyz, sweep = [np.zeros((0, 3), np.float32)], [np.zeros(0, np.int32)]
    for index, (meta, returns) in enumerate(zip(scene.sweeps, read_returns(scene, config), strict=True)):
        if len(returns):
            times_s = point_times(returns, meta)
            xyz.append((to_global(returns.xyz_lidar, meta, times_s, path) - origin).astype(np.float32))
            sweep.append(np.full(len(times_s), index, dtype=np.int32))
    return GlobalReturns(origin, np.concatenate(xyz), np.concatenate(sweep))


def z_buffer_baseline(
    returns: GlobalReturns, camera: Camera, allowed: NDArray[np.bool_], *, max_depth_m: float
) -> NDArray[np.float32]:
    """Depth (H,W) m of the nearest return in each pixel, 0 where there is none.

    Args:
        allowed: (S,), sweeps to use.
        max_depth_m: farther returns are left out.
    """
    T_global_origin = np.eye(4)
    T_global_origin[:3, 3] = returns.origin_global_m
    T_cam_origin = se3.inverse(camera.T_global_cam) @ T_global_origin
    rows = np.empty(len(returns.xyz), dtype=np.int32)
    rows = rows[: select_in_frustum(returns.xyz, T_cam_origin, pinhole(camera), 0.0, MIN_DEPTH_M, max_depth_m, rows)]
    rows = rows[allowed[returns.sweep[rows]]]
    xyz_cam = se3.apply(T_cam_origin, returns.xyz[rows]).astype(np.float32)
    shape = (camera.height_px, camera.width_px)
    no_surface, depth_m = (np.full(shape, np.inf, dtype=np.float32) for _ in range(2))
    z_buffer = ZBuffer(depth_m, np.full(shape, -1, dtype=np.int32))
    visible_points(xyz_cam, camera.K, no_surface, 0.0, 0.0, 1, z_buffer, z_buffer)
    depth_m[z_buffer.point < 0] = 0
    return depth_m
