"""The lidar: one turn of beams through the world, with a real sensor's faults."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from densegt.geometry.se3 import inverse
from densegt.simulate.meshes.material import table
from densegt.simulate.sensors.beams import cast_rays, footprint
from densegt.simulate.sensors.bundles import Rays
from densegt.simulate.sensors.casting import Caster
from densegt.simulate.sensors.echoes import Flag, Returns, strongest_return
from densegt.simulate.sensors.lidar_model import LidarSpec, column_times, directions
from densegt.simulate.sensors.optics import SUB, Light, echoes_along
from densegt.simulate.world import World

Float64 = NDArray[np.float64]
Float32 = NDArray[np.float32]


DROPOUT = 0.01
NEAREST_M = 0.9
BLOOM_POWER = 25.0
"""A retroreflector this much stronger than the weakest visible echo blinds the beams beside it."""


@dataclass(frozen=True)
class Faults:
    """What is off in one sensor: of each ring (B,) the range in m, elevation in rad, and intensity; weave (rad)."""

    range_m: Float64
    elevation_rad: Float64
    intensity_gain: Float64
    intensity_shift: Float64
    wander_rad: float


class Turn(NamedTuple):
    """One turn (R,): points in the lidar frame at the stamp, intensity, ring, and the truth about each."""

    xyz_lidar: Float32
    intensity: Float32
    ring: Float32
    returns: Returns
    time_s: Float32


def make_faults(rng: np.random.Generator, spec: LidarSpec, *, wander: bool) -> Faults:
    """Draw a sensor's faults."""
    return Faults(
        rng.normal(0, 0.008, spec.beams),
        np.deg2rad(rng.normal(0, 0.03, spec.beams)),
        np.exp(rng.normal(0, spec.uneven, spec.beams)),
        rng.normal(24 * spec.uneven, 40 * spec.uneven, spec.beams),
        np.deg2rad(1.2) if wander else 0.0,
    )


def spin(
    world: World, T_ego_lidar: Float64, spec: LidarSpec, faults: Faults, own_car: Caster, stamp_s: float,
    rng: np.random.Generator,
) -> Turn:  # fmt: skip
    """Turn once about the stamp."""
    phase = float(rng.uniform(0, 1))
    times = column_times(spec, stamp_s, phase)
    nominal = directions(spec, _yaw(T_ego_lidar), phase, faults.wander_rad)
    true = _raised(nominal, faults.elevation_rad)
    T_world_lidar = world.ego.T_world_body(times) @ T_ego_lidar
    rays = _rays(T_world_lidar, true, spec, times)
    hits = cast_rays(world, rays)
    returns = strongest_return(echoes_along(Light(world, rays, spec), hits, rng))
    returns = _own_car(returns, own_car, true, spec)
    returns = bloom(returns, spec, world, rng)
    returns = detect(returns, spec, rng)
    ring = np.tile(np.arange(spec.beams), spec.columns)
    ranges = measured_ranges(returns, spec, faults.range_m[ring], rng)
    return Turn(
        _at_stamp(world, T_ego_lidar, stamp_s, T_world_lidar, nominal, ranges, spec),
        _intensity(returns, spec, faults.intensity_gain[ring], faults.intensity_shift[ring], rng),
        ring.astype(np.float32),
        returns,
        np.repeat(times - stamp_s, spec.beams).astype(np.float32),
    )


def _yaw(T: Float64) -> float:
    return float(np.arctan2(T[1, 0], T[0, 0]))


def _raised(unit: Float64, by_rad: Float64) -> Float64:
    """Directions (C,B,3) with each ring's elevation changed."""
    flat = np.linalg.norm(unit[..., :2], axis=-1)
    up = np.arctan2(unit[..., 2], flat) + by_rad
    scale = np.cos(up) / np.maximum(flat, 1e-9)
    return np.stack([unit[..., 0] * scale, unit[..., 1] * scale, np.sin(up)], axis=-1)


def _rays(T_world_lidar: Float64, unit: Float64, spec: LidarSpec, times: Float64) -> Rays:
    """Rays (C * B * SUB,) in world."""
    R = T_world_lidar[:, :3, :3].astype(np.float32)
    fan = footprint(unit, spec.divergence_rad)
    way = np.einsum("cij,cbkj->cbki", R, fan).reshape(-1, 3)
    start = T_world_lidar[:, None, :3, 3] + np.einsum("ci,b->cbi", T_world_lidar[:, :3, 2], spec.offset_z_m)
    origin = np.repeat(start.astype(np.float32).reshape(-1, 3), SUB, axis=0)
    moment = np.repeat(np.arange(len(times)), spec.beams * SUB)
    return Rays(origin, np.ascontiguousarray(way), moment, times)


def _own_car(returns: Returns, own_car: Caster, unit: Float64, spec: LidarSpec) -> Returns:
    """The recording car's own body, in the lidar's frame, hides what lies behind it."""
    way = unit.reshape(-1, 3).astype(np.float32)
    down = np.flatnonzero(way[:, 2] < -0.2)
    found = own_car.cast(np.zeros((len(down), 3), dtype=np.float32), way[down])
    near = found.range_m < returns.range_m[down]
    at = down[near]
    range_m, power, flag, triangle = returns.copy()
    range_m[at], power[at], flag[at], triangle[at] = found.range_m[near], 40.0, Flag.OWN_CAR, -1
    return Returns(range_m, power, flag, triangle)


def bloom(returns: Returns, spec: LidarSpec, world: World, rng: np.random.Generator) -> Returns:
    """Beams beside a dazzling retroreflector report its range instead of their own, the fainter their own light."""
    shape = (spec.columns, spec.beams)
    retro = (returns.triangle >= 0) & (table("retro")[world.look.material[np.maximum(returns.triangle, 0)]] > 20)
    bright = np.where(retro & (returns.power > BLOOM_POWER), returns.power, 0).reshape(shape)
    if not bright.any():
        return returns
    ranges, triangle = returns.range_m.reshape(shape), returns.triangle.reshape(shape)
    own = returns.copy()
    range_m, power = own.range_m.reshape(shape), own.power.reshape(shape)
    flag, source = own.flag.reshape(shape), own.triangle.reshape(shape)
    for dc, db, share in ((1, 0, 0.02), (-1, 0, 0.02), (2, 0, 0.006), (-2, 0, 0.006), (0, 1, 0.006), (0, -1, 0.006)):
        glow = np.roll(bright, (dc, db), (0, 1)) * share * rng.uniform(0.3, 1.5, shape)
        if db:
            glow[:, 0 if db > 0 else -1] = 0
        taken = (glow > power) & (glow > 1.0) & (bright == 0)
        range_m[taken] = np.roll(ranges, (dc, db), (0, 1))[taken]
        source[taken] = np.roll(triangle, (dc, db), (0, 1))[taken]
        power[taken], flag[taken] = glow[taken], Flag.BLOOM
    return own


def detect(returns: Returns, spec: LidarSpec, rng: np.random.Generator) -> Returns:
    """Keep what is strong enough; near the limit by chance."""
    count = len(returns.power)
    chance = 1 / (1 + np.maximum(returns.power, 1e-9) ** -4.0)
    seen = (rng.random(count) < chance) & (rng.random(count) > DROPOUT)
    seen &= (returns.range_m > NEAREST_M) & (returns.range_m < spec.maximum_m)
    return Returns(
        np.where(seen, returns.range_m, np.inf), np.where(seen, returns.power, 0),
        np.where(seen, returns.flag, Flag.NOTHING).astype(np.uint8), np.where(seen, returns.triangle, -1),
    )  # fmt: skip


def measured_ranges(returns: Returns, spec: LidarSpec, ring_bias_m: Float64, rng: np.random.Generator) -> Float64:
    """Ranges (R,) with noise and biases, 0 = nothing."""
    strong = np.log10(np.maximum(returns.power, 1.0))
    noise = rng.normal(0, spec.noise_m, len(strong)) * (1 + 0.8 * np.exp(-strong))
    ranges = returns.range_m.astype(np.float64) + noise + ring_bias_m - 0.006 * strong
    return np.where(np.isfinite(returns.range_m), ranges, 0.0)


def _intensity(returns: Returns, spec: LidarSpec, gain: Float64, shift: Float64, rng: np.random.Generator) -> Float32:
    """0..255 as the sensor reports it (R,), its own correction for range included; gain and shift (R,) of the rings."""
    seen = np.isfinite(returns.range_m)
    ranges = np.where(seen, returns.range_m, 1.0)
    reflected = 0.1 * returns.power * np.maximum(ranges, 3.0) ** 2 / spec.reach_m**2
    back = spec.gain * reflected * np.minimum(1.0, 25.0 / np.maximum(ranges, 1.0)) ** 0.5
    back = gain * back + shift + rng.normal(0, 1.5 + 12 * spec.uneven, len(back))
    if spec.faint > 0:
        seen &= rng.random(len(back)) > 1 / (1 + (returns.power / spec.faint) ** 2)
    return np.where(seen, np.clip(np.rint(back), 1 if spec.uneven < 0.2 else 0, 255), 0).astype(np.float32)


def _at_stamp(
    world: World, T_ego_lidar: Float64, stamp_s: float, T_world_lidar: Float64, unit: Float64, ranges: Float64,
    spec: LidarSpec,
) -> Float32:  # fmt: skip
    """Points (R,3) in the lidar frame at the stamp, as if all that was hit stood still."""
    T_lidar_world = inverse(world.ego.T_world_body(np.array([stamp_s]))[0] @ T_ego_lidar)
    steps = T_lidar_world @ T_world_lidar
    far = ranges.reshape(len(steps), -1, 1)
    xyz = unit * far
    xyz[..., 2] += spec.offset_z_m * (far[..., 0] > 0)
    xyz = np.einsum("cij,cbj->cbi", steps[:, :3, :3], xyz) + steps[:, None, :3, 3]
    xyz = np.where(far > 0, xyz, steps[:, None, :3, 3])
    out: Float32 = xyz.reshape(-1, 3).astype(np.float32)
    return out
