"""How much light a surface sends back to the lidar."""

from __future__ import annotations

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from densegt.kernels.raycast import GROUND_PART, NO_PART, Hits
from densegt.kernels.raycast_ground import ground_material
from densegt.kernels.raycast_shapes import WINDOW, pane_is_glass

Array = NDArray[np.float64]


@njit(parallel=True, cache=True)
def reflectivities(
    hits: Hits,
    material: NDArray[np.int64],
    reflectance: Array,
    param: Array,
    by_material: Array,
    blind: float,
    ground: Array,
    lane_m: float,
    lanes: int,
    out: Array,
) -> None:
    """Reflectivity (R,) of each hit; 0 for none and for panes of glass. `blind`: that of a window without glass."""
    for i in prange(len(out)):
        out[i] = 0.0
        if hits.part[i] == GROUND_PART:
            x, y = hits.local[i, 0], hits.local[i, 1]
            out[i] = by_material[ground_material(x, y, ground, lane_m, lanes)]
        elif hits.part[i] != NO_PART:
            shape = hits.shape[i]
            out[i] = by_material[material[shape]] * reflectance[shape]
            if hits.detail[i] == WINDOW:
                out[i] = 0.0 if pane_is_glass(hits.local[i], param[shape], shape) else blind
