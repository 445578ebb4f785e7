"""Depth from the working grid to the pixels of the image."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from densegt.kernels.interpolate_between import InterpolatedDepth
from densegt.kernels.visible_points import ZBuffer

Float32 = NDArray[np.float32]


class DepthLayers(NamedTuple):
    """The layers of a depth map, (H,W), in the order of `densegt.depth.depth_map.DepthMap`."""

    depth_m: Float32
    source: NDArray[np.uint8]
    age_s: Float32
    confidence: Float32


@njit(cache=True, nogil=True, error_model="numpy")
def upsample(
    grid: InterpolatedDepth,
    confidence: Float32,
    step: int,
    relative: float,
    points: ZBuffer,
    source: NDArray[np.uint8],
    age_s: Float32,
    surface: int,
    out: DepthLayers,
) -> None:
    """Write depth, source, age and confidence of each pixel, all 0 where unknown.

    A pixel takes its own point if that lies on the surface there. Else it lies on the plane of its cell's surfel, and
    its source is `surface`.

    Args:
        grid, confidence: (h,w) cells; slopes by a column and a row of cells.
        step: pixels of a cell, along and across.
        relative: greatest departure of plane from cell, and of point from plane.
        points: (H,W).
        source, age_s: (N,) of each surfel.
        out: (H,W).
    """
    height_px, width_px = points.point.shape
    one, middle, per_step = np.float32(1), np.float32((step - 1) / 2), np.float32(1 / step)
    least, most = np.float32(1 / (1 + relative)), np.float32(1 + relative)
    for row in range(grid.depth_m.shape[0]):
        for col in range(grid.depth_m.shape[1]):
            cell_m = grid.depth_m[row, col]
            if not cell_m > 0:
                for r in range(row * step, min(row * step + step, height_px)):
                    for c in range(col * step, min(col * step + step, width_px)):
                        out.depth_m[r, c], out.source[r, c], out.age_s[r, c], out.confidence[r, c] = 0, 0, 0, 0
                continue
            i = grid.surfel[row, col]
            cell_age_s = age_s[i] if i >= 0 else np.float32(0)
            by_col, by_row = (
                cell_m * grid.inverse_slope[row, col, 0] * per_step,
                cell_m * grid.inverse_slope[row, col, 1] * per_step,
            )
            for r in range(row * step, min(row * step + step, height_px)):
                inverse = one + by_row * (np.float32(r - row * step) - middle)
                for c in range(col * step, min(col * step + step, width_px)):
                    ratio = one / (inverse + by_col * (np.float32(c - col * step) - middle))
                    z = cell_m * ratio if least <= ratio <= most else cell_m
                    source_here, age_here = np.uint8(surface), cell_age_s
                    p = points.point[r, c]
                    if p >= 0 and least * z <= points.depth_m[r, c] <= most * z:
                        z, source_here, age_here = points.depth_m[r, c], source[p], age_s[p]
                    out.depth_m[r, c], out.source[r, c] = z, source_here
                    out.age_s[r, c], out.confidence[r, c] = age_here, confidence[row, col]
