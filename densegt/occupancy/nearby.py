"""Which of a scene's points may lie in a grid, told for blocks of them, so that a long drive costs little."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]
Bool = NDArray[np.bool_]


def blocks_nearby(
    bounds: NDArray[np.float32], T_voxel_src: Float64, shape: tuple[int, ...], *, margin_m: float
) -> Bool:
    """Which blocks (B,) may reach into a grid.

    Args:
        bounds: (B,2,3) least and greatest coordinates m of each.
        T_voxel_src: (4,4) from the points' frame (m) to voxels.
        margin_m: by which they may reach beyond.
    """
    middle, half = (bounds[:, 0] + bounds[:, 1]) / 2, (bounds[:, 1] - bounds[:, 0]) / 2 + margin_m
    at = middle @ T_voxel_src[:3, :3].T + T_voxel_src[:3, 3]
    reach = half @ np.abs(T_voxel_src[:3, :3]).T
    near: Bool = ((at + reach >= 0) & (at - reach <= np.array(shape))).all(axis=1)
    return near


def rows_of_blocks(blocks: Bool, size: int, count: int) -> NDArray[np.int64]:
    """The rows of some blocks, each of so many rows, the last of what is left of so many in all."""
    rows = np.flatnonzero(blocks)[:, None] * size + np.arange(size)
    out: NDArray[np.int64] = rows.ravel()
    # Only the last block may be short.
    return out[out < count] if len(out) and out[-1] >= count else out
