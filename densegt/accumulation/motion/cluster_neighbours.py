"""What lies beside a cluster in the turns before and after: what moves is seen again there, a little farther on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]

# Cells of this size, the cluster's own and those around them, are looked at.
CELL_M = 1.0
# So many turns before and after: in 0.15 s a car in town gets two metres far.
TURNS = 3
_AROUND = np.array([(x, y) for x in (-1, 0, 1) for y in (-1, 0, 1)])
_SPAN = 1 << 20


def means_beside(
    xy: NDArray[np.float32], moment: Int64, cluster: Int64, values: Float64, count: int
) -> tuple[Float64, NDArray[np.bool_]]:
    """Means (C,V) of the values (M,V) of the points beside each of `count` clusters; and which clusters have any.

    Args:
        xy: (M,2) m; moment: (M,) the turn that measured each point; cluster: (M,) of each.

    Returns:
        Means, 0 where nothing lies beside; (C,) whether something does.
    """
    if not len(xy):
        return np.zeros((count, values.shape[1])), np.zeros(count, dtype=np.bool_)
    cells, of = np.unique(_keys(np.floor(xy / CELL_M).astype(np.int64), moment), return_inverse=True)
    sums = np.column_stack([np.bincount(of, v) for v in (np.ones(len(of)), *values.T)])
    owner, cell = np.divmod(np.unique(cluster * len(cells) + of), len(cells))
    turns = np.array([t for t in range(-TURNS, TURNS + 1) if t])
    steps = _keys(np.tile(_AROUND, (len(turns), 1)), np.repeat(turns, len(_AROUND)))
    asked = (cells[cell][:, None] + steps).ravel()
    found = np.searchsorted(cells, asked).clip(0, len(cells) - 1)
    there = cells[found] == asked
    # A cell beside two of a cluster's own counts once.
    owner, found = np.divmod(np.unique((np.repeat(owner, len(steps)) * len(cells) + found)[there]), len(cells))
    total = np.column_stack([np.bincount(owner, column, minlength=count) for column in sums[found].T])
    return total[:, 1:] / np.maximum(total[:, :1], 1), total[:, 0] > 0


def _keys(cell: Int64, moment: NDArray[np.integer]) -> Int64:  # type: ignore[type-arg]
    """One number (N,) for cells (N,2) at moments (N,); of a sum of places and times it is the sum of theirs."""
    return np.asarray((moment.astype(np.int64) * _SPAN + cell[:, 0]) * _SPAN + cell[:, 1])
