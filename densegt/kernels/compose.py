"""Depth of each pixel before interpolation: its point's, or else the front surface's, or none."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from densegt.kernels.interpolate_between import InterpolatedDepth
from densegt.kernels.layer_buffer import SurfaceLayer
from densegt.kernels.visible_points import ZBuffer


@njit(cache=True, nogil=True)
def compose_layers(
    surface: SurfaceLayer,
    z_buffer: ZBuffer,
    depth_m: NDArray[np.float32],
    surfel: NDArray[np.int32],
    measured: NDArray[np.bool_],
) -> None:
    """Write depth, 0 = unknown, the surfel it comes from, -1 = none, and whether that is the pixel's own point.

    Args:
        depth_m, surfel, measured: out (H,W).
    """
    height_px, width_px = depth_m.shape
    for row in range(height_px):
        for col in range(width_px):
            i, point = surface.best[row, col], z_buffer.point[row, col]
            measured[row, col] = point >= 0
            i = point if point >= 0 else i
            surfel[row, col] = i
            z = z_buffer.depth_m[row, col] if point >= 0 else surface.depth_m[row, col]
            depth_m[row, col] = 0 if i < 0 else z


@njit(cache=True, nogil=True)
def clear_pixels(which: NDArray[np.bool_], out: InterpolatedDepth) -> None:
    """Make pixels unknown that were measured or covered: (H,W)."""
    height_px, width_px = which.shape
    for row in range(height_px):
        for col in range(width_px):
            if which[row, col]:
                out.depth_m[row, col], out.surfel[row, col], out.measured[row, col] = 0, -1, False
                out.inverse_slope[row, col, 0], out.inverse_slope[row, col, 1] = 0, 0
