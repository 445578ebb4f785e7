"""Slow twins of densegt.kernels.free_space."""

from __future__ import annotations

import numpy as np

from .beam import beam_to


def fill_range_image(row, azimuth, range_m, out):
    """Sort by range and write the farthest first."""
    columns = out.shape[1]
    borders = np.linspace(-np.pi, np.pi, columns + 1)
    for i in np.argsort(-range_m, kind="stable"):
        column = (np.searchsorted(borders, float(azimuth[i]), side="right") - 1) % columns
        out[row[i], column] = range_m[i]


def beams_around(image, ring_elevation, azimuth, elevation):
    """Ranges (2,4) of the rings below and above a direction, at the four columns whose middles are nearest."""
    columns = image.shape[1]
    middles = -np.pi + (np.arange(columns) + 0.5) * 2 * np.pi / columns
    away = np.abs((middles - azimuth + np.pi) % (2 * np.pi) - np.pi)
    lower = np.flatnonzero(ring_elevation <= elevation)[-1]
    return image[[lower, lower + 1]][:, np.argsort(away, kind="stable")[:4]].astype(np.float64)


def free_space_votes(
    xyz,
    sweep,
    offsets,
    images,
    ring_elevation,
    origin,
    velocity,
    R_lidar_global,
    clock,
    absolute_m,
    relative,
    passed,
    met,
):
    passed[:], met[:] = 0, 0
    for i, place in enumerate(xyz):
        for s in sweep[i] + offsets:
            if not 0 <= s < len(images):
                continue
            azimuth, elevation, distance = beam_to(place, origin[s], velocity[s], R_lidar_global[s], clock)
            if not ring_elevation[0] <= elevation < ring_elevation[-1]:
                continue
            around = beams_around(images[s], ring_elevation, azimuth, elevation)
            margin = absolute_m + relative * distance
            answered = around > 0
            if (answered & (np.abs(around - distance) <= margin)).any():
                met[i] += 1
            elif answered.any(axis=1).all() and (around[answered] > distance + margin).all():
                passed[i] += 1
