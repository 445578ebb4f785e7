"""Slow twins of densegt.kernels.free_space_violations."""

from __future__ import annotations

import numpy as np

from .beam import beam_to
from .free_space import beams_around


def unanswered(
    xyz,
    asked,
    images,
    ring_elevation,
    origin,
    velocity,
    R_lidar_global,
    clock,
    max_range_m,
    min_elevation_rad,
    margin_m,
    out,
):
    for i, place in enumerate(xyz):
        beams = []
        may = len(asked) > 0
        for s in asked:
            azimuth, elevation, distance = beam_to(place, origin[s], velocity[s], R_lidar_global[s], clock)
            in_field = max(ring_elevation[0], min_elevation_rad) <= elevation < ring_elevation[-1]
            if not in_field or distance > max_range_m[i]:
                may = False
                continue
            around = beams_around(images[s], ring_elevation, azimuth, elevation)
            may &= around.max() <= distance - margin_m
            beams.extend(around.ravel())
        out[i] = may and np.count_nonzero(np.array(beams) == 0) * 3 >= 8 * len(asked)
