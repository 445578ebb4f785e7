"""Draws patches of surface into depth buffers: the nearest surface, and the next behind it."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from densegt.kernels.patch import patch_bounds, patch_coordinates, patch_normal


@njit(cache=True, nogil=True)
def splat_patches(
    xyz_cam: NDArray[np.float32],
    tangents: NDArray[np.float32],
    half_m: NDArray[np.float32],
    K: NDArray[np.float64],
    reach_px: NDArray[np.float32],
    beyond_m: NDArray[np.float32],
    out: NDArray[np.float32],
) -> None:
    """Lower `out` (H,W) m, which begins at infinity, to the nearest patch beyond `beyond_m` at each pixel's centre.

    Each patch is the parallelogram of its tangents and reaches; its depth at a pixel is where the pixel's ray d meets
    its plane, z = n.p / n.d for d scaled to z = 1.

    Args:
        xyz_cam: (N,3) m, all ahead of the camera.
        tangents: (N,2,3) unit vectors in cam.
        half_m: (N,4) reach along +first, -first, +second, -second tangent.
        K: (3,3) px without skew.
        reach_px: (N,), each patch is cut to this many pixels around its point.
        beyond_m: (H,W) m; nothing at or before this depth is drawn. Zeros draw everything.
    """
    height_px, width_px = out.shape
    fx, fy, cx, cy = K[0, 0], K[1, 1], K[0, 2], K[1, 2]
    for i in range(len(xyz_cam)):
        if half_m[i, 0] + half_m[i, 1] <= 0 or half_m[i, 2] + half_m[i, 3] <= 0:
            continue
        px, py, pz = np.float64(xyz_cam[i, 0]), np.float64(xyz_cam[i, 1]), np.float64(xyz_cam[i, 2])
        nx, ny, nz = patch_normal(tangents[i])
        n_p = nx * px + ny * py + nz * pz
        if nx * nx + ny * ny + nz * nz < 1e-6:
            continue
        row_lo, row_hi, col_lo, col_hi = patch_bounds(
            xyz_cam[i], tangents[i], half_m[i], K, reach_px[i], height_px, width_px
        )
        for row in range(row_lo, row_hi + 1):
            dy = (row - cy) / fy
            for col in range(col_lo, col_hi + 1):
                dx = (col - cx) / fx
                n_d = nx * dx + ny * dy + nz
                if abs(n_d) < 1e-6:
                    continue
                z = n_p / n_d
                if not (beyond_m[row, col] < z < out[row, col]):
                    continue
                a, e = patch_coordinates(z * dx - px, z * dy - py, z - pz, tangents[i], nx, ny, nz)
                if -half_m[i, 1] <= a <= half_m[i, 0] and -half_m[i, 3] <= e <= half_m[i, 2]:
                    out[row, col] = z
