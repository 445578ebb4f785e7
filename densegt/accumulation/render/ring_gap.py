"""How far apart a lidar's rings are: nothing is filled across more."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# Of the gaps between a lidar's rings this share is no wider; some lidars' outermost rings are far apart.
SHARE = 0.9
# Measured rings are a little uneven: only gaps wider than the least by more than this share count.
UNEVEN = 0.05


def max_gap_rad(ring_elevation: NDArray[np.float32], least_deg: float) -> NDArray[np.float64]:
    """The gap (L,) rad that may be filled between points of each lidar: `least_deg`, or its own rings' where wider.

    Args:
        ring_elevation: (L,R) rad, increasing, infinite beyond a lidar's last ring.
    """
    gaps = [np.diff(elevation[np.isfinite(elevation)]) for elevation in ring_elevation]
    own_rad = np.array([np.quantile(gap, SHARE) if len(gap) else 0.0 for gap in gaps], dtype=np.float64)
    least_rad = np.deg2rad(least_deg)
    return np.where(own_rad > (1 + UNEVEN) * least_rad, own_rad, least_rad)
