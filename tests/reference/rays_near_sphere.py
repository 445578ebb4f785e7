"""Rays near a sphere, by the nearest point of each ray's line, one ray after the other."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from densegt.kernels.rays_near_sphere import MovingSphere, TimedRays


def rays_near_sphere(rays: TimedRays, bundle: NDArray[Any], size: int, sphere: MovingSphere, out: NDArray[Any]) -> int:
    """The line passes within the radius, not wholly behind the origin, and not first beyond the hit."""
    radius = float(sphere.radius_m[0])
    found = []
    for b in bundle:
        for i in range(b * size, min((b + 1) * size, len(rays.origin))):
            away = sphere.middle[rays.moment[i]].astype(np.float64) - rays.origin[i]
            along = float(away @ rays.direction[i])
            off = np.linalg.norm(away - along * rays.direction[i].astype(np.float64))
            if off < radius and -radius < along < radius + rays.range_m[i]:
                found.append(i)
    out[: len(found)] = found
    return len(found)
