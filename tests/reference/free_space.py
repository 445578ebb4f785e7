"""Slow twins of densegt.kernels.free_space."""

from __future__ import annotations

import numpy as np

from .beam import beam_to


def beams_around(images, sweep, place):
    """Ranges (2,4) of the rings below and above a place, at the four columns whose middles are nearest; its distance.

    None where it lies outside the lidar's field, and its elevation.
    """
    lidar = images.lidar[sweep]
    pose = (images.origin[sweep], images.velocity[sweep], images.R_lidar_global[sweep])
    azimuth, elevation, distance = beam_to(place, *pose, images.clock[lidar])
    rings = images.ring_elevation[lidar][np.isfinite(images.ring_elevation[lidar])]
    if not len(rings) or not rings[0] <= elevation < rings[-1]:
        return None, elevation, distance
    columns = images.ranges_m.shape[2]
    middles = -np.pi + (np.arange(columns) + 0.5) * 2 * np.pi / columns
    away = np.abs((middles - azimuth + np.pi) % (2 * np.pi) - np.pi)
    lower = np.flatnonzero(rings <= elevation)[-1]
    nearest = np.argsort(away, kind="stable")[:4]
    return images.ranges_m[sweep][[lower, lower + 1]][:, nearest].astype(np.float64), elevation, distance


def free_space_votes(xyz, sweep, asked, images, margin, passed, met):
    passed[:], met[:] = 0, 0
    for i, place in enumerate(xyz):
        for s in asked[sweep[i]]:
            if s < 0:
                continue
            around, _, distance = beams_around(images, s, place)
            if around is None:
                continue
            apart = margin.absolute_m + margin.relative * distance
            answered = around > 0
            if (answered & (np.abs(around - distance) <= apart)).any():
                met[i] += 1
            elif answered.any(axis=1).all() and (around[answered] > distance + apart).all():
                passed[i] += 1
