"""Ground height over a scene; movers stand on it.

Cells are kept in tiles, and only where surfels lie: memory grows with what was measured, not with the drive's extent.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from densegt.accumulation.surfels import Surfels
from densegt.kernels.ground_cells import ground_cells

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]

CELL_M = 0.8
# Steeper than 25 degrees is no road.
MIN_UP = 0.9
LAYER_M = 0.15
# Farther from every lidar there are too few returns to follow anything.
REACH_M = 90.0
TILE = 64
# Cells around a tile that are looked at for the nearest known one.
MARGIN = 48
NO_GROUND_M = -1e3
# Surfels that are looked at together, so that what is computed of them takes little room.
_BATCH = 1 << 20


@dataclass(frozen=True)
class Grid:
    """Cells of `CELL_M` from `corner` (2,) m, in global minus origin, and their number along x and y."""

    corner: Float64
    size: tuple[int, int]

    @classmethod
    def around(cls, lidar: NDArray[np.float32]) -> Grid:
        """All within `REACH_M` of the box around positions (S,3) m."""
        low, high = lidar[:, :2].min(axis=0) - REACH_M, lidar[:, :2].max(axis=0) + REACH_M
        nx, ny = np.ceil((high - low) / CELL_M).astype(int).tolist()
        return cls(low.astype(np.float64), (nx, ny))

    def cells(self, xy: NDArray[np.float32]) -> tuple[Int64, NDArray[np.bool_]]:
        """Cells (N,2) of places (N,2), and which lie in the grid."""
        with np.errstate(invalid="ignore"):  # NaN is in no cell
            cell = np.floor((xy - self.corner) / CELL_M).astype(np.int64)
        return cell, ((cell >= 0) & (cell < self.size)).all(axis=1)


@dataclass(frozen=True)
class KnownCells:
    """Cells with level surfels: x * size[1] + y (C,), ascending, and their heights (C,) m."""

    grid: Grid
    key: Int64
    height_m: Float64

    @classmethod
    def of(cls, surfels: Surfels, usable: NDArray[np.bool_], grid: Grid) -> KnownCells:
        """Mean height of the lowest layer of level surfels in each cell.

        Args:
            usable: (N,), surfels to use.
        """
        keys, heights = [], []
        for begin in range(0, len(surfels), _BATCH):
            part = slice(begin, begin + _BATCH)
            a, b = surfels.tangents[part, 0], surfels.tangents[part, 1]
            up = np.abs(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]).astype(np.float64)
            level = surfels.xyz[part][usable[part] & (up >= MIN_UP)]
            cell, inside = grid.cells(level[:, :2])
            keys.append((cell[:, 0] * grid.size[1] + cell[:, 1])[inside])
            heights.append(level[inside, 2])
        # A long drive has tens of millions of them: no copy is kept beside its successor.
        key = np.concatenate(keys) if keys else np.empty(0, np.int64)
        keys.clear()
        z = np.concatenate(heights) if heights else np.empty(0, np.float32)
        heights.clear()
        z = z.take(np.argsort(key, kind="stable"))
        key.sort()
        start = np.flatnonzero(np.diff(key, prepend=-1))
        height_m = np.empty(len(start))
        ground_cells(z, np.append(start, len(key)).astype(np.int64), LAYER_M, height_m)
        return cls(grid, key[start], height_m)

    def window(self, low: Int64, high: Int64) -> Float64:
        """Heights of the cells from `low` (2,) to before `high`, NaN where none is known."""
        x = np.arange(low[0], high[0], dtype=np.int64)
        begin = np.searchsorted(self.key, x * self.grid.size[1] + low[1])
        end = np.searchsorted(self.key, x * self.grid.size[1] + high[1])
        count = end - begin
        rows = np.repeat(begin - np.cumsum(count) + count, count) + np.arange(count.sum())
        height = np.full(tuple(high - low), np.nan)
        height[self.key[rows] // self.grid.size[1] - low[0], self.key[rows] % self.grid.size[1] - low[1]] = (
            self.height_m[rows]
        )
        return height

    def nearest(self, cell: Float64) -> float:
        """Height of the known cell nearest to a place in cells (2,)."""
        if not len(self.key):
            return NO_GROUND_M
        x, y = self.key // self.grid.size[1], self.key % self.grid.size[1]
        return float(self.height_m[np.argmin((x - cell[0]) ** 2 + (y - cell[1]) ** 2)])


@dataclass(frozen=True)
class Ground:
    """Heights (T,TILE+1,TILE+1) m of tiles of the grid, each with the first cells of the next ones.

    Attributes:
        tile: (T,2) which tiles, in ascending order of x, then y.
    """

    grid: Grid
    tile: Int64
    height_m: Float64

    @classmethod
    def of(cls, surfels: Surfels, usable: NDArray[np.bool_], lidar: NDArray[np.float32]) -> Ground:
        """From level static surfels; cells without any take the nearest one's height.

        Args:
            usable: (N,), which surfels are static.
            lidar: (S,3) m, where the lidar was.
        """
        grid = Grid.around(lidar)
        known, tiles = KnownCells.of(surfels, usable, grid), _occupied_tiles(surfels, grid)
        heights = np.empty((len(tiles), TILE + 1, TILE + 1))
        for tile, height in zip(tiles, heights, strict=True):
            height[:] = _tile_heights(known, tile)
        return cls(grid, tiles, heights)

    def under(self, xy: NDArray[np.floating]) -> Float64:  # type: ignore[type-arg]
        """Height (N,) m at places (N,2), between the cells' middles; beyond all tiles, the nearest one's border."""
        at = (np.asarray(xy, dtype=np.float64) - self.grid.corner) / CELL_M - 0.5
        at = np.clip(at, 0, np.array(self.grid.size) - 1.001)
        t = self._tile_of(at)
        at = np.clip(at - self.tile[t] * TILE, 0, np.nextafter(TILE, 0))
        i, f = at.astype(int), at - at.astype(int)
        h, x, y = self.height_m, i[:, 0], i[:, 1]
        u, v = f[:, 0], f[:, 1]
        low = h[t, x, y] * (1 - u) + h[t, x + 1, y] * u
        high = h[t, x, y + 1] * (1 - u) + h[t, x + 1, y + 1] * u
        out: Float64 = low * (1 - v) + high * v
        return out

    def _tile_of(self, at: Float64) -> NDArray[np.intp]:
        """Rows (N,) of the tiles that hold places in cells (N,2), or of the nearest ones."""
        from scipy.spatial import cKDTree

        columns = self.grid.size[1] // TILE + 1
        wanted = at.astype(np.int64) // TILE
        keys, key = self.tile[:, 0] * columns + self.tile[:, 1], wanted[:, 0] * columns + wanted[:, 1]
        row = np.searchsorted(keys, key).clip(0, len(keys) - 1)
        absent = np.flatnonzero(keys[row] != key)
        if len(absent):
            row[absent] = cKDTree((self.tile + 0.5) * TILE).query(at[absent])[1]
        return row


def _occupied_tiles(surfels: Surfels, grid: Grid) -> Int64:
    """Tiles (T,2) in which surfels lie; the first one where there are none at all."""
    columns, keys = grid.size[1] // TILE + 1, np.zeros(0, dtype=np.int64)
    for begin in range(0, len(surfels), _BATCH):
        cell, inside = grid.cells(surfels.xyz[begin : begin + _BATCH, :2])
        tile = cell[inside] // TILE
        keys = np.union1d(keys, _distinct(tile[:, 0] * columns + tile[:, 1]))
    keys = keys if len(keys) else np.zeros(1, dtype=np.int64)
    return np.column_stack([keys // columns, keys % columns])


def _distinct(keys: Int64) -> Int64:
    """Keys (N,) once each; counted, which takes a tenth of sorting, unless they are far apart."""
    if not len(keys):
        return keys
    low = int(keys.min())
    if int(keys.max()) - low > 4 * len(keys):
        return np.unique(keys)
    return np.flatnonzero(np.bincount(keys - low)) + low


def _tile_heights(known: KnownCells, tile: Int64) -> Float64:
    """Heights (TILE+1,TILE+1) m of a tile and the first cells of the next ones, holes filled and outliers removed."""
    from scipy.ndimage import distance_transform_edt, median_filter

    first = tile * TILE
    low = np.maximum(first - MARGIN, 0)
    high = np.minimum(first + TILE + 1 + MARGIN, known.grid.size)
    height = known.window(low, high)
    unknown = np.isnan(height)
    if unknown.all():
        return np.full((TILE + 1, TILE + 1), known.nearest(first + TILE / 2))
    x, y = distance_transform_edt(unknown, return_distances=False, return_indices=True)
    smooth = median_filter(height[x, y], size=3, mode="nearest")[tuple(map(slice, first - low, first - low + TILE + 1))]
    # Behind the grid's end nothing is asked for.
    return np.pad(smooth, [(0, TILE + 1 - n) for n in smooth.shape], mode="edge")
