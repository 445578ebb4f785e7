"""Ground height over a scene; movers stand on it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from densegt.accumulate.surfels import Surfels
from densegt.kernels.ground_cells import ground_cells

Float64 = NDArray[np.float64]

CELL_M = 0.8
# Steeper than 25 degrees is no road.
MIN_UP = 0.9
LAYER_M = 0.15
# Farther from every lidar there are too few returns to follow anything.
REACH_M = 90.0


@dataclass(frozen=True)
class Ground:
    """Heights (X,Y) m in cells of `CELL_M` from `corner` (2,) m, in global minus origin."""

    corner: Float64
    height_m: Float64

    @classmethod
    def of(cls, surfels: Surfels, usable: NDArray[np.bool_], lidar: NDArray[np.float32]) -> Ground:
        """From level static surfels; cells without any take the nearest one's height.

        Args:
            usable: (N,), which surfels are static.
            lidar: (S,3) m, where the lidar was.
        """
        from scipy.ndimage import distance_transform_edt, median_filter

        low, high = lidar[:, :2].min(axis=0) - REACH_M, lidar[:, :2].max(axis=0) + REACH_M
        corner = low.astype(np.float64)
        height = np.empty(tuple(np.ceil((high - low) / CELL_M).astype(int)))
        ground_cells(surfels.xyz, surfels.tangents, usable, corner, CELL_M, MIN_UP, LAYER_M, height)
        unknown = np.isnan(height)
        if unknown.all():
            return cls(corner, np.full_like(height, -1e3))
        x, y = distance_transform_edt(unknown, return_distances=False, return_indices=True)
        return cls(corner, median_filter(height[x, y], size=3, mode="nearest"))

    def under(self, xy: NDArray[np.floating]) -> Float64:  # type: ignore[type-arg]
        """Height (N,) m at places (N,2), between the cells' middles."""
        at = (np.asarray(xy, dtype=np.float64) - self.corner) / CELL_M - 0.5
        at = np.clip(at, 0, np.array(self.height_m.shape) - 1.001)
        i, f = at.astype(int), at - at.astype(int)
        h, x, y = self.height_m, i[:, 0], i[:, 1]
        u, v = f[:, 0], f[:, 1]
        low = h[x, y] * (1 - u) + h[x + 1, y] * u
        high = h[x, y + 1] * (1 - u) + h[x + 1, y + 1] * u
        out: Float64 = low * (1 - v) + high * v
        return out
