"""The z-buffer of points, at full and reduced resolution."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray


class ZBuffer(NamedTuple):
    """The nearest visible point of each pixel.

    Attributes:
        depth_m: (H,W) float32, infinity = none.
        point: (H,W) int32 index, -1 = none.
    """

    depth_m: NDArray[np.float32]
    point: NDArray[np.int32]


@njit(cache=True, nogil=True, error_model="numpy")
def visible_points(
    xyz_cam: NDArray[np.float32],
    K: NDArray[np.float64],
    front_m: NDArray[np.float32],
    relative: float,
    absolute_m: float,
    step: int,
    out: ZBuffer,
) -> None:
    """Z-buffer of the points that no surface hides.

    A point is hidden if the surface is nearer by more than `absolute_m + relative * z`. Of equally near points the
    first wins.

    Args:
        xyz_cam: (N,3) m.
        front_m: (h,w) m, the front surface in cells of `step` by `step` pixels, infinity = none.
        out: (H,W), empty at first.
    """
    height_px, width_px = out.point.shape
    fx, fy, cx, cy = np.float32(K[0, 0]), np.float32(K[1, 1]), np.float32(K[0, 2]), np.float32(K[1, 2])
    keep, absolute = np.float32(1 - relative), np.float32(absolute_m)
    half = np.float32(0.5)
    for i in range(len(xyz_cam)):
        z = xyz_cam[i, 2]
        if not z > 0:
            continue
        per_z = np.float32(1) / z
        u, v = fx * xyz_cam[i, 0] * per_z + cx + half, fy * xyz_cam[i, 1] * per_z + cy + half
        if not (0 <= u < width_px and 0 <= v < height_px):
            continue
        col, row = int(u), int(v)
        if z < out.depth_m[row, col] and not z * keep - absolute > front_m[row // step, col // step]:
            out.depth_m[row, col] = z
            out.point[row, col] = i


@njit(cache=True, nogil=True)
def nearest_of_cell(points: ZBuffer, step: int, out: ZBuffer) -> None:
    """Fill `out` (h,w) with the nearest point in each cell of `step` by `step` pixels of `points` (H,W).

    Of equally near points the first wins.
    """
    height_px, width_px = points.point.shape
    for cell_row in range(out.point.shape[0]):
        for cell_col in range(out.point.shape[1]):
            best, nearest = -1, np.float32(np.inf)
            for row in range(cell_row * step, min(cell_row * step + step, height_px)):
                for col in range(cell_col * step, min(cell_col * step + step, width_px)):
                    i, z = points.point[row, col], points.depth_m[row, col]
                    if z < nearest or (z == nearest and 0 <= i < best):
                        best, nearest = i, z
            out.point[cell_row, cell_col], out.depth_m[cell_row, cell_col] = best, nearest
