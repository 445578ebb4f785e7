"""Rays that may meet what a sphere holds."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray


class MovingSphere(NamedTuple):
    """A sphere at some moments: middle (M,3) float32, radius (1,) float32 in m."""

    middle: NDArray[Any]
    radius_m: NDArray[Any]


class TimedRays(NamedTuple):
    """Rays (R,): origin and unit direction (R,3) float32, moment (R,) an index of the sphere's, range (R,) of a hit."""

    origin: NDArray[Any]
    direction: NDArray[Any]
    moment: NDArray[Any]
    range_m: NDArray[Any]


@njit(cache=True)
def rays_near_sphere(rays: TimedRays, bundle: NDArray[Any], size: int, sphere: MovingSphere, out: NDArray[Any]) -> int:
    """Indices, in `out`, of rays of some bundles (K,) of `size` that enter the sphere before their hit; how many."""
    radius, count = sphere.radius_m[0], 0
    for k in range(bundle.shape[0]):
        first = bundle[k] * size
        for i in range(first, min(first + size, rays.origin.shape[0])):
            along, far2 = np.float32(0), np.float32(0)
            for d in range(3):
                away = sphere.middle[rays.moment[i], d] - rays.origin[i, d]
                along += away * rays.direction[i, d]
                far2 += away * away
            if far2 - along * along < radius * radius and along > -radius and along - radius < rays.range_m[i]:
                out[count] = i
                count += 1
    return count
