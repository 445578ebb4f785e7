"""Ground height under a scene's points, from the lowest of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Float32 = NDArray[np.float32]

CELL_M = 1.0
# Share of a cell's points that may lie below its ground: echoes mirrored by puddles do.
BELOW = 0.03
# Cells whose ground is hidden, under a car or in a house, take that of the lowest within so many cells.
HIDDEN_CELLS = 5


@dataclass(frozen=True)
class GroundMap:
    """Heights (X,Y) m of cells of `CELL_M` from `corner` (2,) m, all in global minus origin."""

    corner: NDArray[np.float64]
    height_m: Float32

    @classmethod
    def of(cls, xyz: Float32) -> GroundMap:
        """Under points (N,3) m of many sweeps."""
        corner = xyz[:, :2].min(axis=0).astype(np.float64)
        shape = (((xyz[:, :2].max(axis=0) - corner) / CELL_M).astype(int) + 1).tolist()
        cell = ((xyz[:, :2] - corner) / CELL_M).astype(np.int64)
        key = cell[:, 0] * shape[1] + cell[:, 1]
        order = np.lexsort((xyz[:, 2], key))
        key = key[order]
        first = np.flatnonzero(np.concatenate([[True], key[1:] != key[:-1]]))
        count = np.diff(np.append(first, len(key)))
        low = np.full(shape[0] * shape[1], np.nan, dtype=np.float32)
        low[key[first]] = xyz[order[first + (BELOW * count).astype(int)], 2]
        grid = low.reshape(shape)
        known = np.isfinite(grid)
        nearest = ndimage.distance_transform_edt(~known, return_distances=False, return_indices=True)
        filled = grid[tuple(nearest)]
        # The lowest about, but no lower than the ground falls on a slope: opened, then smoothed.
        opened = ndimage.grey_opening(filled, size=(HIDDEN_CELLS, HIDDEN_CELLS))
        return cls(corner, ndimage.uniform_filter(opened, 3).astype(np.float32))

    def height_above(self, xyz: Float32) -> Float32:
        """Of points (N,3), m (N,)."""
        at = ((xyz[:, :2] - self.corner) / CELL_M - 0.5).T
        under = ndimage.map_coordinates(self.height_m, at, order=1, mode="nearest")
        return np.asarray(xyz[:, 2] - under, dtype=np.float32)
