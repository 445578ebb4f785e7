"""Which point each pixel shows, and each cell of several."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(cache=True, nogil=True, error_model="numpy")
def visible_points(
    xyz_cam: NDArray[np.float32],
    K: NDArray[np.float64],
    front_m: NDArray[np.float32],
    relative: float,
    absolute_m: float,
    step: int,
    shown: NDArray[np.int32],
    shown_m: NDArray[np.float32],
) -> None:
    """Find the nearest point in each pixel that is not hidden by a surface.

    A point is hidden where the surface in front of it is nearer by more than `absolute_m + relative * z`. Of equally
    near points the first is shown.

    Args:
        xyz_cam: (N,3) m.
        front_m: (h,w) m, the nearest surface in cells of `step` by `step` pixels, infinity where there is none.
        shown: out (H,W), -1 at first; the row of the point shown. shown_m: out (H,W), infinity at first; its depth.
    """
    height_px, width_px = shown.shape
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
        if z < shown_m[row, col] and not z * keep - absolute > front_m[row // step, col // step]:
            shown_m[row, col] = z
            shown[row, col] = i


@njit(cache=True, nogil=True)
def nearest_of_cell(
    points: NDArray[np.int32],
    points_m: NDArray[np.float32],
    step: int,
    shown: NDArray[np.int32],
    shown_m: NDArray[np.float32],
) -> None:
    """Write to `shown` (h,w) the nearest of the points that a cell's pixels show, -1 for none; of equals the first.

    Args:
        points: (H,W) the row of the point that each pixel shows, -1 for none; points_m: (H,W) its depth, else infinity.
        step: a cell holds this many pixels along and across.
        shown_m: out (h,w), the depth of what is shown, infinity for none.
    """
    height_px, width_px = points.shape
    for cell_row in range(shown.shape[0]):
        for cell_col in range(shown.shape[1]):
            best, nearest = -1, np.float32(np.inf)
            for row in range(cell_row * step, min(cell_row * step + step, height_px)):
                for col in range(cell_col * step, min(cell_col * step + step, width_px)):
                    i, z = points[row, col], points_m[row, col]
                    if z < nearest or (z == nearest and 0 <= i < best):
                        best, nearest = i, z
            shown[cell_row, cell_col], shown_m[cell_row, cell_col] = best, nearest
