"""Reflectivity of surfaces to the lidar."""

from __future__ import annotations

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from densegt.kernels.raycast import GROUND_PART, NO_PART, Hits, Surfaces
from densegt.kernels.raycast_ground import Road, ground_material
from densegt.kernels.raycast_shapes import WINDOW, pane_is_glass

Array = NDArray[np.float64]


@njit(parallel=True, cache=True)
def reflectivities(
    hits: Hits,
    surfaces: Surfaces,
    param: Array,
    by_material: Array,
    blind: float,
    road: Road,
    out: Array,
) -> None:
    """Fill `out` (R,) with the reflectivity of each hit; 0 for none and for glass.

    Args:
        param: (N,9) of each shape; by_material: reflectivity of each material; blind: that of a window with blinds.
    """
    for i in prange(len(out)):
        out[i] = 0.0
        if hits.part[i] == GROUND_PART:
            x, y = hits.local[i, 0], hits.local[i, 1]
            out[i] = by_material[ground_material(x, y, road)]
        elif hits.part[i] != NO_PART:
            shape = hits.shape[i]
            out[i] = by_material[surfaces.material[shape]] * surfaces.reflectance[shape]
            if hits.detail[i] == WINDOW:
                out[i] = 0.0 if pane_is_glass(hits.local[i], param[shape], shape) else blind
