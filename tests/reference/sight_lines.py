"""Slow twin of densegt.kernels.sight_lines."""

from __future__ import annotations

import numpy as np

from .beam import beam_to

FREE, UNCLEAR, BEHIND = 0, 1, 2


def sight_lines(xyz, eye, own, others, images, margin, rule, state):
    eye = eye.astype(np.float64)
    baseline = max((np.linalg.norm(eye - images.origin[s]) for s in own), default=0.0)
    for i, point in enumerate(xyz.astype(np.float64)):
        length = np.linalg.norm(point - eye)
        if not np.isfinite(length):
            state[i] = UNCLEAR
            continue
        end = length - max(rule.absolute_m, rule.relative * length)
        if end <= rule.nearest_m:
            state[i] = FREE
            continue
        steps = max(2, int(np.ceil(baseline * (1 / rule.nearest_m - 1 / end) / rule.step_rad)))
        away = 1 / np.linspace(1 / end, 1 / rule.nearest_m, steps + 1)
        places = (eye + (point - eye) * (away / length)[:, None]).astype(np.float32)
        state[i] = max(of_place(place, own, others, images, margin, rule) for place in places)


def of_place(place, own, others, images, margin, rule):
    said = [s for s in (of_sweep(place, k, images, margin, rule) for k in own) if s is not None]
    seen = min(said, default=UNCLEAR)
    if seen == UNCLEAR and any(of_sweep(place, k, images, margin, rule) == FREE for k in others if k >= 0):
        return FREE
    return seen


def of_sweep(place, k, images, margin, rule):
    lidar = images.lidar[k]
    elevation = images.ring_elevation[lidar].astype(np.float64)
    rings = np.tan(elevation[np.isfinite(elevation)])
    if k < 0 or len(rings) < 2:
        return None
    azimuth, elevation, distance = beam_to(
        place, images.origin[k], images.velocity[k], images.R_lidar_global[k], images.clock[lidar]
    )
    slope = np.clip(np.tan(elevation), rings[0], rings[-1])
    apart = margin.absolute_m + margin.relative * distance
    columns = images.ranges_m.shape[2]
    column = (azimuth + np.pi) * columns / (2 * np.pi) - 0.5
    four = (int(np.floor(column)) - 1 + np.arange(4)) % columns
    around = images.ranges_m[k][: len(rings)][:, four].astype(np.float64)
    upper = min(int(np.searchsorted(rings, slope, side="right")), len(rings) - 1)
    part = (slope - rings[upper - 1]) / (rings[upper] - rings[upper - 1])
    asked = [r for r, skipped in ((upper - 1, part > 1 - rule.skip), (upper, part < rule.skip)) if not skipped]
    if any(not (around[r] > 0).any() for r in asked):
        return UNCLEAR
    returns = np.concatenate([around[r][around[r] > 0] for r in asked])
    if distance + apart < returns.min():
        return FREE
    surface = plane(around, rings, upper, slope, rule.bend)
    if surface is not None:
        surface *= np.hypot(1, slope)
        return FREE if distance + apart < surface else BEHIND if distance - apart > surface else UNCLEAR
    return BEHIND if distance - apart > returns.max() else UNCLEAR


def plane(around, rings, upper, slope, bend):
    for three in (np.arange(upper - 2, upper + 1), np.arange(upper - 1, upper + 2)):
        if three[0] < 0 or three[-1] >= len(rings):
            continue
        returns = [around[r][around[r] > 0] for r in three]
        if any(len(r) == 0 or r.max() - r.min() > max(0.1, 4 * bend * r.min()) for r in returns):
            continue
        u = np.array([np.hypot(1, rings[k]) / ((r.min() + r.max()) / 2) for k, r in zip(three, returns, strict=True)])
        if abs(np.interp(rings[three[1]], rings[three[[0, 2]]], u[[0, 2]]) - u[1]) > bend * u[1]:
            continue
        per_m = np.interp(slope, rings[three], u)
        if per_m > 0:
            return 1 / per_m
    return None
