"""Averages the patches that make up the visible surface."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from densegt.kernels.patch import patch_bounds, patch_gradients, patch_normal


@njit(cache=True, nogil=True, error_model="numpy")
def blend_patches(
    xyz_cam: NDArray[np.float32],
    tangents: NDArray[np.float32],
    half_m: NDArray[np.float32],
    trust: NDArray[np.float32],
    K: NDArray[np.float64],
    reach_px: NDArray[np.float32],
    beyond_m: NDArray[np.float32],
    front_m: NDArray[np.float32],
    relative: float,
    absolute_m: float,
    weighted_depth: NDArray[np.float32],
    weight: NDArray[np.float32],
    best: NDArray[np.int32],
) -> None:
    """Add each patch to the pixels where it lies on the front surface.

    A patch weighs (1-|a|)(1-|e|) at patch coordinates a, e scaled to its reach, divided by its area: between two
    neighbours of one sweep that is linear interpolation, and fine patches outvote coarse ones.

    Args:
        xyz_cam, tangents, half_m, K, reach_px: as for `splat_patches`.
        trust: (N,), factor of each patch's weight.
        beyond_m: (H,W) m; nothing at or before this depth counts.
        front_m: (H,W) nearest surface beyond it; a patch farther than it by `absolute_m + relative z` is left out.
        weighted_depth, weight: (H,W), added to.
        best: (H,W), the row of the patch of greatest weight, -1 at first.
    """
    height_px, width_px = front_m.shape
    per_fx, per_fy, cx, cy = 1 / K[0, 0], 1 / K[1, 1], K[0, 2], K[1, 2]
    best_weight = np.zeros(front_m.shape, dtype=np.float32)
    for i in range(len(xyz_cam)):
        a_hi, a_lo, e_hi, e_lo = half_m[i, 0], half_m[i, 1], half_m[i, 2], half_m[i, 3]
        if a_hi + a_lo <= 0 or e_hi + e_lo <= 0:
            continue
        px, py, pz = np.float64(xyz_cam[i, 0]), np.float64(xyz_cam[i, 1]), np.float64(xyz_cam[i, 2])
        nx, ny, nz = patch_normal(tangents[i])
        n_p = nx * px + ny * py + nz * pz
        if nx * nx + ny * ny + nz * nz < 1e-6:
            continue
        area = (a_hi + a_lo) * (e_hi + e_lo) + np.float32(1e-6)
        scale = trust[i] / area
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
                if not z > beyond_m[row, col] or z * (1 - relative) - absolute_m > front_m[row, col]:
                    continue
                a, e = z * (fa_x * dx + a_row) - a_p, z * (fe_x * dx + e_row) - e_p
                reach_a = a_hi if a > 0 else a_lo
                reach_e = e_hi if e > 0 else e_lo
                if abs(a) >= reach_a or abs(e) >= reach_e:
                    continue
                w = np.float32(scale * (1 - abs(a) / reach_a) * (1 - abs(e) / reach_e))
                weighted_depth[row, col] += w * z
                weight[row, col] += w
                if w > best_weight[row, col]:
                    best_weight[row, col] = w
                    best[row, col] = i
