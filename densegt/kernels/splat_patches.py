"""Draws patches of surface into depth buffers: the nearest surface, and the next behind it."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from densegt.kernels.patch import patch_bounds, patch_gradients, patch_normal


@njit(cache=True, nogil=True, error_model="numpy")
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
    per_fx, per_fy, cx, cy = 1 / K[0, 0], 1 / K[1, 1], K[0, 2], K[1, 2]
    for i in range(len(xyz_cam)):
        a_hi, a_lo, e_hi, e_lo = half_m[i, 0], half_m[i, 1], half_m[i, 2], half_m[i, 3]
        if a_hi + a_lo <= 0 or e_hi + e_lo <= 0:
            continue
        px, py, pz = np.float64(xyz_cam[i, 0]), np.float64(xyz_cam[i, 1]), np.float64(xyz_cam[i, 2])
        nx, ny, nz = patch_normal(tangents[i])
        n_p = nx * px + ny * py + nz * pz
        if nx * nx + ny * ny + nz * nz < 1e-6:
            continue
        row_lo, row_hi, col_lo, col_hi = patch_bounds(
            xyz_cam[i], tangents[i], half_m[i], K, reach_px[i], height_px, width_px
        )
        fa_x, fa_y, fa_z, fe_x, fe_y, fe_z = patch_gradients(tangents[i], nx, ny, nz)
        a_p, e_p = fa_x * px + fa_y * py + fa_z * pz, fe_x * px + fe_y * py + fe_z * pz
        for row in range(row_lo, row_hi + 1):
            dy = (row - cy) * per_fy
            n_row, a_row, e_row = ny * dy + nz, fa_y * dy + fa_z, fe_y * dy + fe_z
            for col in range(col_lo, col_hi + 1):
                dx = (col - cx) * per_fx
                n_d = nx * dx + n_row
                if abs(n_d) < 1e-6:
                    continue
                z = n_p / n_d
                if not (beyond_m[row, col] < z < out[row, col]):
                    continue
                a, e = z * (fa_x * dx + a_row) - a_p, z * (fe_x * dx + e_row) - e_p
                if -a_lo <= a <= a_hi and -e_lo <= e <= e_hi:
                    out[row, col] = z
