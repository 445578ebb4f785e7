"""Beams: a cone of light as several rays, cast at a world in which things move while the lidar turns."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from densegt.kernels.interpolate_corners import interpolate_corners
from densegt.kernels.rays_near_sphere import MovingSphere, TimedRays, rays_near_sphere
from densegt.simulate.meshes.material import Material
from densegt.simulate.sensors.bundles import BUNDLE, Bundles, Rays, bundled, may_meet
from densegt.simulate.sensors.casting import Hits, put_nearer
from densegt.simulate.world import World

Float64 = NDArray[np.float64]
Float32 = NDArray[np.float32]

PASS_M = 2e-3
"""A ray goes on this far behind what it passed through."""

GOLDEN_RAD = 2.399963
"""Turns that never repeat and fill the circle evenly."""

WIRE_M, PITCH_M = 0.004, 0.05
"""Wire mesh: thickness of the wires and their distance."""


def footprint(directions: Float64, divergence_rad: float) -> Float32:
    """The middle and four rays around it (..., 5, 3) of cones about directions (...,3), each cone turned otherwise."""
    side = np.stack([-directions[..., 1], directions[..., 0], np.zeros(directions.shape[:-1])], axis=-1)
    side /= np.maximum(np.linalg.norm(side, axis=-1, keepdims=True), 1e-9)
    up = np.cross(directions, side)
    turn = GOLDEN_RAD * np.arange(directions[..., 0].size).reshape(*directions.shape[:-1], 1)
    r = 0.35 * divergence_rad  # where four rays stand for the outer part of a round beam's light
    a = r * (np.cos(turn) * side + np.sin(turn) * up)
    b = r * (np.cos(turn) * up - np.sin(turn) * side)
    rays = np.stack([directions, directions + a, directions - a, directions + b, directions - b], axis=-2)
    out: Float32 = (rays / np.linalg.norm(rays, axis=-1, keepdims=True)).astype(np.float32)
    return out


def cast_rays(world: World, rays: Rays) -> Hits:
    """What rays meet first, each mover where it is at the ray's time; wire mesh lets most rays pass."""
    hits = _cast_once(world, rays)
    for _ in range(2):
        passed = np.flatnonzero(_passes(world, hits))
        if len(passed) == 0:
            break
        put_beyond(world, rays, hits, passed)
    return hits


def put_beyond(world: World, rays: Rays, hits: Hits, which: NDArray[np.int64]) -> None:
    """Let some rays (K,) go on behind what they met, in place."""
    way = hits.range_m[which] + PASS_M
    origin = rays.origin[which] + way[:, None] * rays.direction[which]
    beyond = _cast_once(world, Rays(origin, rays.direction[which], rays.moment[which], rays.times_s))
    hits.range_m[which] = beyond.range_m + way
    hits.triangle[which], hits.normal[which], hits.bary[which] = beyond.triangle, beyond.normal, beyond.bary


def _passes(world: World, hits: Hits) -> NDArray[np.bool_]:
    """Rays (R,) that met wire mesh between its wires."""
    wire = (hits.triangle >= 0) & (world.look.material[hits.triangle] == Material.MESH)
    at = np.flatnonzero(wire)
    uv = texture_place(world, hits, at)
    wire[at] = (uv % PITCH_M > WIRE_M).all(axis=1)
    out: NDArray[np.bool_] = wire
    return out


def texture_place(world: World, hits: Hits, at: NDArray[np.int64]) -> Float32:
    """Texture coordinates (K,2) in m of some hits."""
    out = np.empty((len(at), 2), dtype=np.float32)
    interpolate_corners(world.look.uv, hits.triangle[at], hits.bary[at], out)
    return out


def _cast_once(world: World, rays: Rays) -> Hits:
    hits = world.standing.cast(rays.origin, rays.direction).copy()  # open3d's memory is not ours to change
    bundles = bundled(rays) if world.movers else None
    for mover, frames in zip(world.movers, world.frames(rays.times_s), strict=True):
        near = _near(rays, hits, bundles, mover.radius, frames.middle) if bundles is not None else np.zeros(0, np.int64)
        if len(near) == 0:
            continue
        moment = rays.moment[near]
        T_body = frames.T_body_world[moment]
        origin = _turned(T_body, rays.origin[near]) + T_body[:, :3, 3]
        direction = _turned(T_body, rays.direction[near])
        middle_s = float(rays.times_s[int(np.median(moment))])
        found = world.caster(mover, middle_s).cast(origin, direction)
        put_nearer(hits, near, found._replace(normal=_turned(frames.T_world_body[moment], found.normal)))
    return hits


def _turned(T: Float32, xyz: Float32) -> Float32:
    """Vectors (K,3) under the rotations of T (K,4,4)."""
    out: Float32 = np.matmul(T[:, :3, :3], xyz[:, :, None])[:, :, 0]
    return out


def _near(rays: Rays, hits: Hits, bundles: Bundles, radius_m: float, middle: Float64) -> NDArray[np.int64]:
    """Rays (K,) that come into a sphere, middle (M,3), before they meet something much nearer."""
    at = middle[len(middle) // 2]
    wide = radius_m + float(np.linalg.norm(middle - at, axis=1).max())
    bundle = np.flatnonzero(may_meet(bundles, at, wide))
    near = np.empty(len(bundle) * BUNDLE, dtype=np.int64)
    sphere = MovingSphere(middle.astype(np.float32), np.array([radius_m], dtype=np.float32))
    timed = TimedRays(rays.origin, rays.direction, rays.moment, hits.range_m)
    return near[: rays_near_sphere(timed, bundle, BUNDLE, sphere, near)]
