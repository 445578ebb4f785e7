"""Lamps at dusk and night: street lamps above the road, and the recording car's headlights."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from densegt.geometry.se3 import inverse
from densegt.simulate.meshes.mesh import rgb
from densegt.simulate.world import World

Float64 = NDArray[np.float64]
Float32 = NDArray[np.float32]

LAMP_STEP_M = 28.0


def lamp_light(world: World, T_world_ego: Float64, xyz: Float32, normal: Float32) -> Float32:
    """Light (N,3) on points; nothing by day."""
    if world.weather.light not in ("night", "dusk"):
        return np.zeros((1, 3), dtype=np.float32)
    out: Float32 = _street_lamps(world, T_world_ego, xyz, normal) + _headlights(T_world_ego, xyz, normal)
    return out


def _street_lamps(world: World, T_world_ego: Float64, xyz: Float32, normal: Float32) -> Float32:
    here = world.terrain.along(T_world_ego[None, :2, 3])[0, 0]
    s = (np.floor(here / LAMP_STEP_M) + np.arange(-2, 4)) * LAMP_STEP_M
    total = np.zeros(len(xyz), dtype=np.float32)
    for middle in s:
        side = 1 if round(float(middle) / LAMP_STEP_M) % 2 else -1
        T = world.terrain.pose(float(middle), side * (world.terrain.section.half_width - 1.2))
        away = (T[:3, 3] + [0, 0, 7.5]).astype(np.float32) - xyz
        r2 = np.einsum("ni,ni->n", away, away)
        facing = np.maximum(np.einsum("ni,ni->n", away, normal), 0) / np.sqrt(r2)
        down = np.maximum(away[:, 2], 0) / np.sqrt(r2)
        total += 42.0 * facing * down**1.5 / np.maximum(r2, 4.0)
    out: Float32 = total[:, None] * rgb([1.0, 0.78, 0.50])
    return out


def _headlights(T_world_ego: Float64, xyz: Float32, normal: Float32) -> Float32:
    T = inverse(T_world_ego).astype(np.float32)
    place = xyz @ T[:3, :3].T + T[:3, 3] - rgb([3.6, 0, 0.65])
    r2 = np.maximum(np.einsum("ni,ni->n", place, place), 1.0)
    r = np.sqrt(r2)
    across, up = np.abs(place[:, 1]) / r, place[:, 2] / r
    beam = np.exp(-((across / 0.33) ** 2)) * np.where(
        up > 0.01, np.exp(-(((up - 0.01) / 0.03) ** 2)), np.exp(-((up / 0.35) ** 2))
    )
    facing = np.abs(np.einsum("ni,ni->n", place / r[:, None], normal @ T[:3, :3].T))
    total = np.where(place[:, 0] > 0, 170.0 * beam * facing / r2, 0).astype(np.float32)
    out: Float32 = total[:, None] * rgb([1.0, 0.96, 0.88])
    return out
