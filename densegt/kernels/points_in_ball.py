"""Ball query."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(cache=True, nogil=True)
def points_in_ball(
    xyz: NDArray[np.floating[Any]], centres: NDArray[np.floating[Any]], radius_m: float, out: NDArray[np.int64]
) -> None:
    """Fill `out` (M,K) with the rows of `xyz` (N,3) of the first K points nearer than `radius_m` to each centre.

    If there are fewer the first is repeated; if there is none all are 0.

    Args:
        centres: (M,3) m.
    """
    limit = xyz.dtype.type(radius_m) * xyz.dtype.type(radius_m)
    for m in range(len(out)):
        count = 0
        for i in range(len(xyz)):
            dx, dy, dz = xyz[i, 0] - centres[m, 0], xyz[i, 1] - centres[m, 1], xyz[i, 2] - centres[m, 2]
            if dx * dx + dy * dy + dz * dz < limit:
                out[m, count] = i
                count += 1
                if count == out.shape[1]:
                    break
        for k in range(count, out.shape[1]):
            out[m, k] = out[m, 0] if count else 0
