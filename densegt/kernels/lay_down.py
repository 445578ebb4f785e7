"""What each pixel shows before anything is filled: its point, or else the surface."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(cache=True, nogil=True)
def nearer_of(
    surface_m: NDArray[np.float32],
    shown: NDArray[np.int32],
    xyz_cam: NDArray[np.float32],
    out: NDArray[np.float32],
) -> None:
    """Write the nearer of surface and point (H,W) m, infinity where there is neither.

    Args:
        shown: (H,W) the point that each pixel shows, -1 for none; xyz_cam: (N,3) m.
    """
    height_px, width_px = shown.shape
    for row in range(height_px):
        for col in range(width_px):
            i = shown[row, col]
            z = surface_m[row, col]
            out[row, col] = min(z, xyz_cam[i, 2]) if i >= 0 else z


@njit(cache=True, nogil=True)
def lay_down(
    surface_m: NDArray[np.float32],
    best: NDArray[np.int32],
    shown: NDArray[np.int32],
    hidden: NDArray[np.bool_],
    xyz_cam: NDArray[np.float32],
    depth_m: NDArray[np.float32],
    row_of: NDArray[np.int32],
    measured: NDArray[np.bool_],
) -> None:
    """Write depth, 0 = unknown, the patch it comes from, and whether that is the pixel's own point.

    Args:
        surface_m, best: (H,W) depth and best patch of the surface, infinity and -1 where there is none.
        shown: (H,W) the point that each pixel shows, -1 for none.
        hidden: (H,W), pixels that show nothing.
        xyz_cam: (N,3) m.
        depth_m, row_of, measured: (H,W).
    """
    height_px, width_px = shown.shape
    for row in range(height_px):
        for col in range(width_px):
            i, point = best[row, col], shown[row, col]
            if hidden[row, col]:
                i, point = -1, -1
            measured[row, col] = point >= 0
            i = point if point >= 0 else i
            row_of[row, col] = i
            depth_m[row, col] = 0 if i < 0 else xyz_cam[i, 2] if point >= 0 else surface_m[row, col]
