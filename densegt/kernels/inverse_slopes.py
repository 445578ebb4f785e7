"""How inverse depth changes over the image on the patch that each pixel shows."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from densegt.kernels.patch import patch_normal


@njit(cache=True, nogil=True, error_model="numpy")
def inverse_slopes(
    xyz_cam: NDArray[np.float32],
    tangents: NDArray[np.float32],
    K: NDArray[np.float64],
    row_of: NDArray[np.int32],
    out: NDArray[np.float32],
) -> None:
    """Write the slopes (H,W,2) 1/(m px) of inverse depth along columns and rows; zeros where there is no patch.

    On the plane n.q = n.p inverse depth is n.d / n.p with the ray d, so its slopes are n_x/(fx n.p), n_y/(fy n.p).

    Args:
        xyz_cam: (N,3) m; tangents: (N,2,3) unit vectors in cam.
        K: (3,3) px without skew.
        row_of: (H,W) the row of each pixel's patch, -1 for none.
    """
    height_px, width_px = row_of.shape
    for row in range(height_px):
        for col in range(width_px):
            i = row_of[row, col]
            out[row, col, 0], out[row, col, 1] = 0, 0
            if i < 0:
                continue
            px, py, pz = np.float64(xyz_cam[i, 0]), np.float64(xyz_cam[i, 1]), np.float64(xyz_cam[i, 2])
            nx, ny, nz = patch_normal(tangents[i])
            n_p = nx * px + ny * py + nz * pz
            # Seen edge-on a plane has no slope to go by; zero makes it agree with equal depth only.
            if abs(n_p) > 1e-3 * np.sqrt(px * px + py * py + pz * pz):
                out[row, col, 0] = nx / (n_p * K[0, 0])
                out[row, col, 1] = ny / (n_p * K[1, 1])
