"""Points that may belong to movers, and their clusters in each sweep."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from densegt.accumulation.measurements import Measurements
from densegt.accumulation.motion.discovery.ground_height import Ground

Float32 = NDArray[np.float32]
Ints = NDArray[np.int64]

CELL_M = 0.25


@dataclass(frozen=True)
class Candidates:
    """Points above the ground that may belong to movers, in order of sweep.

    Attributes:
        rows: (M,) of the scene's surfels.
        xyz: (M,3) m in global minus origin, z above the ground under it; normal: (M,3).
        time_s: (M,) s; sweep: (M,).
        first: (S+1,) first row of each sweep.
        cluster: (M,) a number of its own for each cluster of each sweep.
    """

    rows: Ints
    xyz: Float32
    normal: Float32
    time_s: Float32
    sweep: NDArray[np.int32]
    first: Ints
    cluster: Ints


def find_candidates(
    measured: Measurements,
    eligible: NDArray[np.bool_],
    ground: Ground,
    *,
    min_height_m: float,
    max_height_m: float,
    max_range_m: float,
    link_m: float,
) -> Candidates:
    """Those of the surfels `eligible` (N,) that are above the ground, near the lidar, and no mixed pixels.

    Args:
        link_m: points of a sweep closer than this, seen from above, are of one cluster; 0 does without clusters.
    """
    surfels = measured.surfels
    rows = np.flatnonzero(eligible & ~measured.mixed)
    xyz = surfels.xyz[rows].copy()
    xyz[:, 2] -= ground.under(xyz[:, :2])
    away = np.linalg.norm(xyz[:, :2] - measured.images.origin[surfels.sweep[rows], :2], axis=1)
    keep = (xyz[:, 2] >= min_height_m) & (xyz[:, 2] <= max_height_m) & (away <= max_range_m)
    rows, xyz = rows[keep], xyz[keep]
    sweep = surfels.sweep[rows]
    normal = np.cross(surfels.tangents[rows, 0], surfels.tangents[rows, 1])
    return Candidates(
        rows=rows,
        xyz=xyz,
        normal=normal / np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-6),
        time_s=surfels.time_s[rows],
        sweep=sweep,
        first=np.searchsorted(sweep, np.arange(len(measured.first))),
        cluster=clusters(xyz, sweep, link_m) if link_m > 0 else np.zeros(len(rows), dtype=np.int64),
    )


def clusters(xyz: Float32, sweep: NDArray[np.int32], link_m: float) -> Ints:
    """Number (M,) of each point's cluster; points of one sweep are linked by the cells they lie in."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components
    from scipy.spatial import cKDTree

    if not len(xyz):
        return np.zeros(0, dtype=np.int64)
    # Sweeps are set so far apart that nothing links them.
    key = np.column_stack([sweep.astype(np.int64), np.floor(xyz[:, :2] / CELL_M).astype(np.int64)])
    cells, cell_of = np.unique(key, axis=0, return_inverse=True)
    place = np.column_stack([cells[:, 0] * 10.0 * link_m, (cells[:, 1:] + 0.5) * CELL_M])
    a, b = cKDTree(place).query_pairs(link_m, output_type="ndarray").T
    n = len(cells)
    _, label = connected_components(coo_array((np.ones(len(a), dtype=np.int8), (a, b)), shape=(n, n)), directed=False)
    out: Ints = label.astype(np.int64)[cell_of.ravel()]
    return out
