"""A scan seen from above: each cell's points by height."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from densegt.kernels.pillars import add_shares, fill_pillars
from densegt.motion_net.config import NetConfig
from densegt.motion_net.examples import ScanPoints

Float32 = NDArray[np.float32]

# Above the ground; what is lower or higher is of the outermost slices.
SLICES_M = (0.2, 0.45, 0.8, 1.2, 1.7, 2.3, 3.2)
SLICES = len(SLICES_M) + 1
CHANNELS = SLICES + 3


def cells_of(xyh: Float32, net: NetConfig) -> NDArray[np.int64]:
    """Row (x) and column (y) of each point's cell (N,2); points lie within the square."""
    cell = np.floor(xyh[:, :2] / np.float32(net.cell_m)).astype(np.int64) + net.cells // 2
    inside: NDArray[np.int64] = cell.clip(0, net.cells - 1)
    return inside


def slices_of(height: Float32) -> NDArray[np.int64]:
    """The slice of each height above the ground (N,) m."""
    return np.searchsorted(np.array(SLICES_M, dtype=np.float32), height, side="right").astype(np.int64)


def pillars(points: ScanPoints, net: NetConfig) -> Float32:
    """(CHANNELS,cells,cells): log counts by slice and of all, mean height, mean intensity; channels lie together."""
    out = np.zeros((net.cells, net.cells, CHANNELS), dtype=np.float32)
    fill_scan(points, net, out)
    return out.transpose(2, 0, 1)


def fill_scan(points: ScanPoints, net: NetConfig, out: Float32) -> None:
    """The same into zeros (cells,cells,CHANNELS)."""
    fill_pillars(
        cells_of(points.xyh, net), slices_of(points.xyh[:, 2]), points.xyh[:, 2].clip(-1, 6), points.intensity, out
    )


def share_map(points: ScanPoints, shares: Float32, net: NetConfig) -> Float32:
    """(F,cells,cells): mean of shares (N,F) of each cell's points above the ground; 0 where there is none."""
    above = points.xyh[:, 2] >= SLICES_M[0]
    count = np.zeros((net.cells, net.cells), dtype=np.int32)
    out = np.zeros((shares.shape[1], net.cells, net.cells), dtype=np.float32)
    add_shares(cells_of(points.xyh[above], net), np.ascontiguousarray(shares[above]), count, out)
    return out
