"""Optics: what comes back along beams from surfaces, through glass, over mirrors and from drops."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from densegt.simulate.meshes.material import Material, table
from densegt.simulate.meshes.semantic import Semantic
from densegt.simulate.sensors.beams import PASS_M, cast_rays, put_beyond, texture_place
from densegt.simulate.sensors.bundles import Rays
from densegt.simulate.sensors.casting import Hits
from densegt.simulate.sensors.echoes import Echoes, Flag, join_echoes
from densegt.simulate.sensors.lidar_model import LidarSpec
from densegt.simulate.sensors.markings import painted, under_water
from densegt.simulate.world import World

Float32 = NDArray[np.float32]

SUB = 5
"""Rays that stand for a beam; each carries as much of its light."""

WATER = 0.01
"""Reflectance of standing water."""

THROUGH, MIRRORED = 0.55, 0.10
"""Share of the light that comes back through a pane both ways, and over one as over a mirror."""


class Light(NamedTuple):
    """A lidar's light in a world: rays (R,), SUB for each beam in a row."""

    world: World
    rays: Rays
    spec: LidarSpec


def echoes_along(light: Light, hits: Hits, rng: np.random.Generator) -> Echoes:
    """All light that comes back to each beam, in units of the weakest that is seen."""
    world, every = light.world, np.arange(len(hits.range_m))
    parts = [_echoes(light, every, light.rays, hits, Flag.CLEAN, 1.0)]
    glass = np.flatnonzero((hits.triangle >= 0) & (world.look.material[hits.triangle] == Material.GLASS))
    if len(glass):
        parts += _behind_glass(light, hits, glass)
        parts.append(_over_mirrors(light, hits, glass, np.full(len(glass), MIRRORED, dtype=np.float32)))
    if world.weather.wet > 0 or world.weather.puddles > 0:
        parts.append(_over_wet_ground(light, hits))
    if world.weather.drops_per_m > 0:
        parts.append(_drops(light, len(every) // SUB, rng))
    return join_echoes(parts)


def _echoes(light: Light, at: NDArray[np.int64], rays: Rays, hits: Hits, flag: Flag, share: Float32 | float) -> Echoes:
    """Echoes of some rays `at` (K,), whose ways and hits are (K,); the other rays have none."""
    count = len(light.rays.direction)
    ranges, power = np.full(count, np.inf, dtype=np.float32), np.zeros(count, dtype=np.float32)
    triangle = np.full(count, -1, dtype=np.int64)
    ranges[at], triangle[at] = hits.range_m, hits.triangle
    power[at] = echo_power(light, rays, hits) * share / SUB
    shape = (count // SUB, SUB)
    flags = np.full(shape, flag, dtype=np.uint8)
    return Echoes(ranges.reshape(shape), power.reshape(shape), flags, triangle.reshape(shape))


def echo_power(light: Light, rays: Rays, hits: Hits) -> Float32:
    """Light (R,) that comes back, over that of a tenth reflected face on at the lidar's reach."""
    world, spec = light.world, light.spec
    look, seen = world.look, hits.triangle >= 0
    triangle = np.maximum(hits.triangle, 0)
    material = look.material[triangle]
    cosine = np.abs(np.einsum("ri,ri->r", hits.normal, rays.direction)).clip(0, 1)
    tint = table("tint")[material]
    grey = look.colour[triangle].mean(axis=1)
    reflected = table("lidar")[material] * (1 - tint + tint * np.minimum(grey / 0.3, 2.0))
    reflected = np.where(_is_painted(world, hits, material), np.float32(0.45), reflected)
    if world.weather.wet > 0:
        flat = np.isin(look.semantic[triangle], [Semantic.ROAD, Semantic.PAVEMENT])
        reflected = np.where(flat, reflected * (1 - 0.75 * world.weather.wet), reflected)
    reflected[_in_puddles(world, hits)] = WATER
    facing = np.sqrt(cosine)  # rough surfaces lose less light at grazing angles than smooth ones
    gloss = table("gloss")[material] * 6.0 * np.exp(-(((1 - cosine) / 0.004) ** 2))
    retro = table("retro")[material] * (cosine > 0.5)
    air = (
        np.exp(-2 * np.minimum(hits.range_m, 1e3) / (1.5 * world.weather.haze_m)) if world.weather.sky == "fog" else 1.0
    )
    power = (reflected * facing + gloss + 0.3 * retro) * air / np.maximum(hits.range_m, 3.0) ** 2
    out: Float32 = np.where(seen & (hits.range_m < spec.maximum_m), power * spec.reach_m**2 / 0.1, 0).astype(np.float32)
    return out


def _is_painted(world: World, hits: Hits, material: NDArray[np.uint8]) -> NDArray[np.bool_]:
    road = (hits.triangle >= 0) & (material == Material.ASPHALT)
    at = np.flatnonzero(road)
    place = texture_place(world, hits, at)
    road[at] = painted(world.terrain, place[:, 0], place[:, 1])
    out: NDArray[np.bool_] = road
    return out


def _behind_glass(light: Light, hits: Hits, glass: NDArray[np.int64]) -> list[Echoes]:
    """What lies behind one pane, and behind two."""
    out, behind, at, share = [], hits.at(glass), glass, THROUGH
    for _ in range(2):
        rays = _some(light.rays, at)
        put_beyond(light.world, rays, behind, np.arange(len(at)))
        out.append(_echoes(light, at, rays, behind, Flag.THROUGH_GLASS, share))
        again = np.flatnonzero((behind.triangle >= 0) & (light.world.look.material[behind.triangle] == Material.GLASS))
        if len(again) == 0:
            break
        behind, at, share = behind.at(again), at[again], share * THROUGH
    return out


def _some(rays: Rays, at: NDArray[np.int64]) -> Rays:
    return Rays(rays.origin[at], rays.direction[at], rays.moment[at], rays.times_s)


def _in_puddles(world: World, hits: Hits) -> NDArray[np.int64]:
    """Rays (K,) that meet standing water."""
    if world.weather.puddles == 0:
        return np.zeros(0, dtype=np.int64)
    ground = np.isin(world.look.semantic[np.maximum(hits.triangle, 0)], [Semantic.ROAD, Semantic.PAVEMENT])
    at = np.flatnonzero(ground & (hits.triangle >= 0))
    place = texture_place(world, hits, at)
    out: NDArray[np.int64] = at[under_water(world.terrain, world.weather.puddles, place[:, 0], place[:, 1])]
    return out


def _over_wet_ground(light: Light, hits: Hits) -> Echoes:
    """What puddles mirror, and at grazing angles any wet ground, on the way there and back."""
    world = light.world
    flat = np.isin(world.look.semantic[np.maximum(hits.triangle, 0)], [Semantic.ROAD, Semantic.PAVEMENT])
    cosine = np.abs(np.einsum("ri,ri->r", hits.normal, light.rays.direction))
    share = 0.3 * world.weather.wet * (1 - cosine) ** 5 * (cosine < 0.12)
    water = _in_puddles(world, hits)
    share[water] = (0.02 + 0.98 * (1 - cosine[water]) ** 5) ** 2
    at = np.flatnonzero((hits.triangle >= 0) & flat & (share > 0.01))
    return _over_mirrors(light, hits, at, share[at].astype(np.float32))


def _over_mirrors(light: Light, hits: Hits, at: NDArray[np.int64], share: Float32) -> Echoes:
    """Echoes of some rays (K,) over what they met: along the beam they seem to lie behind it."""
    rays = _some(light.rays, at)
    normal, way = hits.normal[at], rays.direction
    mirrored = way - 2 * np.einsum("ri,ri->r", normal, way)[:, None] * normal
    start = rays.origin + hits.range_m[at][:, None] * way + PASS_M * mirrored
    second = Rays(start, mirrored, rays.moment, rays.times_s)
    found = cast_rays(light.world, second)
    total = found._replace(range_m=found.range_m + hits.range_m[at])
    return _echoes(light, at, second, total, Flag.MULTIPATH, share)


def _drops(light: Light, beams: int, rng: np.random.Generator) -> Echoes:
    """Light from rain or fog near the sensor."""
    ranges = 1.0 + rng.exponential(1 / light.world.weather.drops_per_m, beams)
    met = rng.random(beams) < 0.5
    power = rng.exponential(1.2, beams) * (12.0 / np.maximum(ranges, 2.0)) ** 2
    ranges = np.where(met & (ranges < 45), ranges, np.inf).astype(np.float32)[:, None]
    flags, none = np.full((beams, 1), Flag.RAIN, dtype=np.uint8), np.full((beams, 1), -1, dtype=np.int64)
    return Echoes(ranges, power.astype(np.float32)[:, None], flags, none)
