"""Slow twins of densegt.kernels.beam_lookup."""

from __future__ import annotations

import numpy as np

from densegt.kernels.beam_lookup import LOOKUP, RingLookup

from .beam import beam_to


def beam_at(xyz, origin, velocity, R_lidar_global, clock, columns, column, slope, distance):
    """Each place by itself; columns may differ where its direction is next to a border."""
    for i, place in enumerate(xyz):
        azimuth, elevation, distance[i] = beam_to(place, origin, velocity, R_lidar_global, clock)
        slope[i] = np.tan(elevation)
        column[i] = (np.floor((azimuth + np.pi) / (2 * np.pi) * columns - 0.5) - 1) % columns


def ring_lookup(ring_elevation):
    """Count, for each of the slopes looked up, the rings that lie at or below it."""
    slope = np.tan(
        ring_elevation.astype(np.float64), where=np.isfinite(ring_elevation), out=np.full(ring_elevation.shape, np.inf)
    )
    last = np.maximum(np.isfinite(slope).sum(axis=1) - 1, 0)
    lowest, highest = slope[:, 0], np.take_along_axis(slope, last[:, None], axis=1)[:, 0]
    with np.errstate(invalid="ignore"):
        per_slope = np.where(np.isfinite(lowest), LOOKUP / np.maximum(highest - lowest, 1e-9), 1.0)
    steps = lowest[:, None] + np.arange(LOOKUP + 1) / per_slope[:, None]
    above = np.where(np.isfinite(lowest)[:, None], (slope[:, None] <= steps[..., None]).sum(axis=2), 0)
    return RingLookup(slope, lowest, highest, above, per_slope, last)


def ring_above(slope, ring_slope, above, per_slope, last):
    """The first ring that lies higher."""
    return int(np.flatnonzero(np.asarray(ring_slope) > slope)[0])
