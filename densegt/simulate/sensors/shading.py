"""Shading: the light that each pixel's ray brings back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from densegt.kernels.interpolate_corners import interpolate_corners
from densegt.simulate.meshes.material import Material, table
from densegt.simulate.meshes.mesh import rgb
from densegt.simulate.meshes.semantic import Semantic
from densegt.simulate.sensors.beams import texture_place
from densegt.simulate.sensors.casting import Caster, Hits, packed, put_nearer
from densegt.simulate.sensors.lamps import lamp_light
from densegt.simulate.sensors.markings import painted, under_water
from densegt.simulate.sensors.sky import air_colour, sky
from densegt.simulate.sensors.textures import textured, value_noise
from densegt.simulate.world import World

Float64 = NDArray[np.float64]
Float32 = NDArray[np.float32]


@dataclass(frozen=True)
class View:
    """A world at one moment, ready to be lit.

    Attributes:
        moving: everything that moves; turns: (M,3,3) rotation of every mover, in order.
        pixel_rad: angle between neighbouring rays.
        T_world_ego: (4,4), where the headlights are.
    """

    world: World
    moving: Caster
    turns: Float32
    pixel_rad: float
    T_world_ego: Float64


def light_of_rays(view: View, origin: Float32, directions: Float32, hits: Hits, *, depth: int = 1) -> Float32:
    """Light (R,3) along rays from one origin (3,) or one each.

    While depth > 0 glass shows what is behind it, and puddles what they mirror.
    """
    world = view.world
    out = np.empty((len(directions), 3), dtype=np.float32)
    met = hits.triangle >= 0
    out[~met] = sky(world.weather, directions[~met])
    at = np.flatnonzero(met)
    if len(at):
        start = np.broadcast_to(origin, directions.shape)[at]
        part = hits.at(at)
        wet = _wet(view.world, part)
        light = _surface_light(view, start, directions[at], part, wet)
        if len(wet):
            light[wet] += _mirrored_light(view, start[wet], directions[at][wet], part.at(wet), depth)
        glass = np.flatnonzero(world.look.material[part.triangle] == Material.GLASS)
        if depth > 0 and len(glass):
            light[glass] = _glass_light(view, start[glass], directions[at][glass], part.at(glass), depth)
        fade = np.exp(-part.range_m / np.float32(world.weather.haze_m))[:, None]
        out[at] = light * fade + air_colour(world.weather) * (1 - fade)
    return out


def _wet(world: World, hits: Hits) -> NDArray[np.int64]:
    """Rays (K,) that meet a puddle."""
    ground = np.isin(world.look.semantic[hits.triangle], [Semantic.ROAD, Semantic.PAVEMENT])
    at = np.flatnonzero(ground) if world.weather.puddles else np.zeros(0, dtype=np.int64)
    place = texture_place(world, hits, at)
    out: NDArray[np.int64] = at[under_water(world.terrain, world.weather.puddles, place[:, 0], place[:, 1])]
    return out


def _mirrored_light(view: View, start: Float32, way: Float32, hits: Hits, depth: int) -> Float32:
    """What still water (K,) mirrors, rippled by rain."""
    normal = np.zeros_like(way)
    xyz: Float32 = start + hits.range_m[:, None] * way
    u, v = xyz[:, 0] * np.float32(9), xyz[:, 1] * np.float32(9)
    rough = np.float32(0.03 if view.world.weather.sky == "rain" else 0.006)
    normal[:, 0] = rough * (value_noise(u, v) - np.float32(0.5))
    normal[:, 1] = rough * (value_noise(u + np.float32(40), v) - np.float32(0.5))
    normal[:, 2] = 1
    cosine = np.clip(-np.einsum("ri,ri->r", way, normal), 0, 1)
    mirrored = way + 2 * cosine[:, None] * normal
    mirrored /= np.linalg.norm(mirrored, axis=1, keepdims=True)
    begin = xyz + np.float32(4e-3) * mirrored
    if depth > 0:
        seen = light_of_rays(view, begin, mirrored, cast_view(view, begin, mirrored), depth=0)
    else:
        seen = sky(view.world.weather, mirrored)
    out: Float32 = (0.02 + 0.98 * (1 - cosine) ** 5)[:, None] * np.minimum(seen, 4.0)
    return out


def _surface_light(view: View, start: Float32, way: Float32, hits: Hits, wet: NDArray[np.int64]) -> Float32:
    world, look, weather = view.world, view.world.look, view.world.weather
    material = look.material[hits.triangle]
    uv = texture_place(world, hits, np.arange(len(way)))
    spread = hits.range_m * np.float32(view.pixel_rad)
    colour = textured(look.colour[hits.triangle], material, uv, spread)
    road = np.flatnonzero(material == Material.ASPHALT)
    white = road[painted(world.terrain, uv[road, 0], uv[road, 1])]
    colour[white] = np.float32(0.52) * (
        0.75 + 0.5 * (colour[white] / np.maximum(colour[white].max(initial=1e-3), 1e-3))
    )
    if weather.wet:
        colour *= np.where(np.isin(material, [Material.ASPHALT, Material.PAVEMENT]), 1 - 0.45 * weather.wet, 1)[:, None]
    colour[wet] *= 0.45
    normal = _shading_normals(view, hits, way)
    xyz = start + hits.range_m[:, None] * way
    up = 0.6 + 0.4 * normal[:, 2:3]
    inside = np.where(material == Material.INTERIOR, np.float32(0.22), np.float32(1))[:, None]
    light = rgb(weather.ambient) * (up * inside * np.reshape(world.terrain.sky_seen(xyz), (-1, 1)))
    if weather.sun_colour.any():
        light = light + _sunlight(view, xyz, normal, hits, material)
    light = light + lamp_light(view.world, view.T_world_ego, xyz, normal)
    out: Float32 = (colour * light).astype(np.float32)
    _add_gloss(view, out, way, normal, material)
    if weather.light in ("night", "dusk"):
        on = np.flatnonzero(material == Material.LAMP)
        out[on] += 2.2 * look.colour[hits.triangle[on]]
    return out


def _shading_normals(view: View, hits: Hits, way: Float32) -> Float32:
    """Unit normals (R,3) that look at the viewer; painted metal's are smooth."""
    look, world = view.world.look, view.world
    normal = hits.normal.astype(np.float32).copy()
    smooth = np.flatnonzero(np.isin(look.material[hits.triangle], [Material.PAINT, Material.SKIN, Material.CLOTH]))
    if len(smooth):
        triangle, fine = hits.triangle[smooth], np.empty((len(smooth), 3), dtype=np.float32)
        interpolate_corners(look.normal, triangle, hits.bary[smooth], fine)
        turn = np.tile(np.eye(3, dtype=np.float32), (len(world.things) + 1, 1, 1))
        turn[1:] = view.turns
        fine = np.einsum("rij,rj->ri", turn[look.object_id[triangle]], fine)
        fine /= np.maximum(np.linalg.norm(fine, axis=1, keepdims=True), 1e-6)
        agree = np.einsum("ri,ri->r", fine, normal[smooth])
        fine *= np.sign(agree)[:, None]
        normal[smooth] = np.where(np.abs(agree)[:, None] > 0.6, fine, normal[smooth])
    away = np.einsum("ri,ri->r", normal, way) > 0
    normal[away] *= -1
    return normal


def _sunlight(view: View, xyz: Float32, normal: Float32, hits: Hits, material: NDArray[np.uint8]) -> Float32:
    weather = view.world.weather
    sun = weather.sun.astype(np.float32)
    facing = normal @ sun
    leaf = material == Material.LEAF
    facing = np.where(leaf, 0.35 + 0.35 * np.abs(facing), np.maximum(facing, 0))  # light shines through leaves
    lit = np.flatnonzero(facing > 0)
    start = xyz[lit] + 0.02 * normal[lit] + 0.01 * sun
    way = np.broadcast_to(sun, start.shape)
    shade = view.world.standing.blocked(start, way)
    open_ = np.flatnonzero(~shade)
    shade[open_] = view.moving.blocked(start[open_], way[open_])
    amount = np.zeros(len(xyz), dtype=np.float32)
    amount[lit] = facing[lit] * ~shade
    out: Float32 = amount[:, None] * rgb(weather.sun_colour)
    return out


def _add_gloss(view: View, light: Float32, way: Float32, normal: Float32, material: NDArray[np.uint8]) -> None:
    """Mirror the sky in what is glossy, in place."""
    weather = view.world.weather
    gloss = table("gloss")[material]
    if weather.wet:
        gloss = np.where(np.isin(material, [Material.ASPHALT]), np.float32(0.03 * weather.wet), gloss)
    at = np.flatnonzero((gloss > 0) & (material != Material.GLASS))
    if not len(at):
        return
    cosine = np.abs(np.einsum("ri,ri->r", way[at], normal[at]))
    share = gloss[at] + (1 - gloss[at]) * (1 - cosine) ** 5 * np.where(material[at] == Material.PAINT, 0.8, 0.35)
    mirrored = way[at] - 2 * np.einsum("ri,ri->r", way[at], normal[at])[:, None] * normal[at]
    mirrored[:, 2] = np.maximum(mirrored[:, 2], -0.15)
    seen = np.where(mirrored[:, 2:3] > 0.02, sky(weather, mirrored), np.float32(0.35) * air_colour(weather))
    light[at] += share[:, None] * np.minimum(seen, 4.0)


def _glass_light(view: View, start: Float32, way: Float32, hits: Hits, depth: int) -> Float32:
    """What is behind a pane, darkened, and the sky that it mirrors."""
    begin = start + (hits.range_m[:, None] + np.float32(2e-3)) * way
    behind = cast_view(view, begin, way)
    inside = light_of_rays(view, begin, way, behind, depth=depth - 1)
    cosine = np.abs(np.einsum("ri,ri->r", way, hits.normal))
    share = (0.06 + 0.94 * (1 - cosine) ** 5)[:, None].astype(np.float32)
    normal = np.where(np.einsum("ri,ri->r", way, hits.normal)[:, None] > 0, -hits.normal, hits.normal)
    mirrored = way - 2 * np.einsum("ri,ri->r", way, normal)[:, None] * normal
    seen = np.where(
        mirrored[:, 2:3] > 0.05, sky(view.world.weather, mirrored), np.float32(0.3) * air_colour(view.world.weather)
    )
    out: Float32 = inside * 0.62 * (1 - share) + np.minimum(seen, 3.0) * share
    return out


def cast_view(view: View, origin: Float32, directions: Float32) -> Hits:
    """What rays meet first at the view's moment."""
    rays = packed(origin, directions)
    hits = view.world.standing.cast_packed(rays).copy()  # open3d's memory is not ours to change
    put_nearer(hits, np.arange(len(rays)), view.moving.cast_packed(rays))
    return hits
