"""Clearance: things seen from above as circles, and the gaps between them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from densegt.simulate.motion import Motion
from densegt.simulate.simple.things import Body

Float64 = NDArray[np.float64]


def footprint(body: Body, motion: Motion, t_s: Float64) -> Float64:
    """Circles (T,n,3) as x, y, radius that cover the box seen from above at times (T,)."""
    length, width = body.size_lwh_m[0], body.size_lwh_m[1]
    return circles(motion.T_world_body(t_s), float(body.middle[0]), float(length), float(width))


def circles(T: Float64, middle_m: float, length: float, width: float, *, fineness: int = 1) -> Float64:
    """Circles (T,n,3) that cover a rectangle whose middle lies `middle_m` ahead of poses (T,4,4).

    There are `fineness` of them in a square of its width: the more, the less they reach over its sides.
    """
    n = max(int(np.ceil(fineness * length / width)), 1)
    along = middle_m + (np.arange(n) - (n - 1) / 2) * length / n
    radius = float(np.hypot(length / n, width) / 2)
    xy = T[:, None, :2, 3] + along[None, :, None] * T[:, None, :2, 0]
    return np.concatenate([xy, np.full((*xy.shape[:2], 1), radius)], axis=2)


def clearance(a: Float64, b: Float64) -> float:
    """Smallest gap between circles (...,n,3) and (...,m,3)."""
    gap = np.linalg.norm(a[..., :, None, :2] - b[..., None, :, :2], axis=-1) - a[..., :, None, 2] - b[..., None, :, 2]
    return float(gap.min())
