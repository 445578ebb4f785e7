"""Beams: a cone of light as several rays, cast at a world in which things move while the lidar turns."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from densegt.geometry.se3 import inverse
from densegt.simulate.meshes.material import Material
from densegt.simulate.sensors.casting import Hits, put_nearer
from densegt.simulate.world import Mover, World

Float64 = NDArray[np.float64]
Float32 = NDArray[np.float32]

PASS_M = 2e-3
"""A ray goes on this far behind what it passed through."""

WIRE_M, PITCH_M = 0.004, 0.05
"""Wire mesh: thickness of the wires and their distance."""


class Rays(NamedTuple):
    """Rays (R,) in the world's frame, each with its own time.

    Attributes:
        origin, direction: (R,3) float32; time_s: (R,).
    """

    origin: Float32
    direction: Float32
    time_s: Float64


def footprint(directions: Float64, divergence_rad: float) -> Float32:
    """The middle and four rays around it (..., 5, 3) of cones about directions (...,3)."""
    side = np.stack([-directions[..., 1], directions[..., 0], np.zeros(directions.shape[:-1])], axis=-1)
    side /= np.maximum(np.linalg.norm(side, axis=-1, keepdims=True), 1e-9)
    up = np.cross(directions, side)
    r = 0.35 * divergence_rad  # where four rays stand for the outer half of a round beam's light
    rays = np.stack(
        [directions, directions + r * side, directions - r * side, directions + r * up, directions - r * up], axis=-2
    )
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
    beyond = _cast_once(world, Rays(origin, rays.direction[which], rays.time_s[which]))
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
    corners = world.look.uv[hits.triangle[at]]
    b = hits.bary[at]
    out: Float32 = (
        corners[:, 0] * (1 - b.sum(axis=1, keepdims=True)) + corners[:, 1] * b[:, :1] + corners[:, 2] * b[:, 1:]
    )
    return out


def _cast_once(world: World, rays: Rays) -> Hits:
    hits = world.standing.cast(rays.origin, rays.direction).copy()  # open3d's memory is not ours to change
    moments, moment = np.unique(rays.time_s, return_inverse=True)
    for mover in world.movers:
        T = mover.thing.motion.T_world_body(moments)
        near = _near(rays, hits, mover, (T[:, :3, :3] @ mover.middle + T[:, :3, 3]).astype(np.float32)[moment])
        if len(near) == 0:
            continue
        pose = moment[near]
        T_body = inverse(T).astype(np.float32)[pose]
        origin = np.einsum("rij,rj->ri", T_body[:, :3, :3], rays.origin[near]) + T_body[:, :3, 3]
        direction = np.einsum("rij,rj->ri", T_body[:, :3, :3], rays.direction[near])
        found = world.caster(mover, float(np.median(rays.time_s[near]))).cast(origin, direction)
        turned = np.einsum("rij,rj->ri", T[:, :3, :3].astype(np.float32)[pose], found.normal)
        put_nearer(hits, near, found._replace(normal=turned))
    return hits


def _near(rays: Rays, hits: Hits, mover: Mover, middle: Float32) -> NDArray[np.int64]:
    """Rays that pass through a mover's sphere, middle (R,3), before they meet something else."""
    away = middle - rays.origin
    along = np.einsum("ri,ri->r", away, rays.direction)
    off2 = np.einsum("ri,ri->r", away, away) - along * along
    hit = (off2 < mover.radius**2) & (along > -mover.radius) & (along - mover.radius < hits.range_m)
    return np.flatnonzero(hit)
