"""Moves patches into a camera and keeps those it looks at."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(cache=True)
def select_in_view(
    xyz: NDArray[np.float32],
    T_cam_src: NDArray[np.float64],
    K: NDArray[np.float64],
    width_px: int,
    height_px: int,
    margin_px: float,
    min_depth_m: float,
    max_depth_m: float,
    out: NDArray[np.int32],
) -> int:
    """Write the rows of points (N,3) that project into the image widened by `margin_px` to `out` (N,); return how many.

    The margin lets patches that reach into the image from outside take part in hiding.
    """
    count = 0
    for i in range(len(xyz)):
        x, y, z = np.float64(xyz[i, 0]), np.float64(xyz[i, 1]), np.float64(xyz[i, 2])
        zc = T_cam_src[2, 0] * x + T_cam_src[2, 1] * y + T_cam_src[2, 2] * z + T_cam_src[2, 3]
        if not (min_depth_m < zc < max_depth_m):
            continue
        xc = T_cam_src[0, 0] * x + T_cam_src[0, 1] * y + T_cam_src[0, 2] * z + T_cam_src[0, 3]
        yc = T_cam_src[1, 0] * x + T_cam_src[1, 1] * y + T_cam_src[1, 2] * z + T_cam_src[1, 3]
        u = (K[0, 0] * xc + K[0, 1] * yc) / zc + K[0, 2]
        v = K[1, 1] * yc / zc + K[1, 2]
        if -margin_px <= u < width_px + margin_px and -margin_px <= v < height_px + margin_px:
            out[count] = i
            count += 1
    return count


@njit(cache=True)
def move_patches(
    xyz: NDArray[np.float32],
    tangents: NDArray[np.float32],
    rows: NDArray[np.int32],
    T_dst_src: NDArray[np.float64],
    xyz_dst: NDArray[np.float32],
    tangents_dst: NDArray[np.float32],
) -> None:
    """Fill positions (M,3) and tangents (M,2,3) in dst of the patches named by `rows` (M,)."""
    for m in range(len(rows)):
        i = rows[m]
        for k in range(3):
            xyz_dst[m, k] = (
                T_dst_src[k, 0] * xyz[i, 0]
                + T_dst_src[k, 1] * xyz[i, 1]
                + T_dst_src[k, 2] * xyz[i, 2]
                + T_dst_src[k, 3]
            )
            for t in range(2):
                tangents_dst[m, t, k] = (
                    T_dst_src[k, 0] * tangents[i, t, 0]
                    + T_dst_src[k, 1] * tangents[i, t, 1]
                    + T_dst_src[k, 2] * tangents[i, t, 2]
                )
