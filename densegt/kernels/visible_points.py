"""The z-buffer of points, by pixels and by cells of pixels."""

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
    cells: ZBuffer,
) -> None:
    """Z-buffers of the points that no surface hides, by pixel and by cell.

    A point is hidden if the surface is nearer by more than `absolute_m + relative * z`. Of equally near points the
    first wins.

    Args:
        xyz_cam: (N,3) m.
        front_m: (h,w) m, the front surface in cells of `step` by `step` pixels, infinity = none.
        out: (H,W), empty at first; cells: (h,w), likewise, or `out` itself where a cell is a pixel.
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
        if not z < out.depth_m[row, col]:
            continue
        # Divisions are many times faster without sign.
        cell_row, cell_col = int(np.uint32(row) // np.uint32(step)), int(np.uint32(col) // np.uint32(step))
        if not z * keep - absolute > front_m[cell_row, cell_col]:
            out.depth_m[row, col] = z
            out.point[row, col] = i
            if z < cells.depth_m[cell_row, cell_col]:
                cells.depth_m[cell_row, cell_col] = z
                cells.point[cell_row, cell_col] = i
