"""Memory for what rays meet."""

from __future__ import annotations

import numpy as np

from densegt.kernels.raycast import Hits


def empty_hits(rays: int) -> Hits:
    """Arrays for that many rays, to be filled by a kernel."""
    return Hits(
        range_m=np.empty(rays),
        part=np.empty(rays, dtype=np.int32),
        shape=np.empty(rays, dtype=np.int32),
        detail=np.empty(rays, dtype=np.int32),
        normal=np.empty((rays, 3), dtype=np.float32),
        local=np.empty((rays, 3), dtype=np.float32),
    )
