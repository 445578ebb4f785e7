"""The lidar: one turn of 32 beams, each column at its own time, with a real sensor's faults."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from densegt.geometry.se3 import inverse
from densegt.kernels.lidar_return import reflectivities
from densegt.kernels.raycast import Hits, cast_columns
from densegt.simulate.drive import Rig
from densegt.simulate.simple.hits import empty_hits
from densegt.simulate.simple.materials import REFLECTIVITY
from densegt.simulate.simple.rig import BEAMS, COLUMNS, ELEVATIONS_RAD, SPIN
from densegt.simulate.simple.world import World

Float64 = NDArray[np.float64]

MAX_RANGE_M = 105.0
KNOTS = 9
"""Parts' poses are exact at this many times in a turn and linear between, 6 ms apart: off by less than 0.1 mm."""

RANGE_NOISE_M = 0.018
DROPOUT = 0.015
ASPHALT_REACH_M = 42.0
"""Asphalt is lost about here."""

FOOTPRINT_COLUMNS, FOOTPRINT_BEAMS = 0.085 / (360 / COLUMNS), 0.085 / 1.333
"""Half the beam's width over the gap to the next column and the next beam: how often an edge between lies in it."""

MERGE_M = 2.5
"""Two surfaces in one beam give one return between them only when they are this close."""


@dataclass(frozen=True)
class Turn:
    """One turn, column by column (R = columns x beams rays).

    Attributes:
        xyz_lidar: (R,3) float32, moved to the ego pose at the stamp; nothing returned = the sensor itself.
        intensity: (R,) float32 0..255; ring: (R,) float32; returned: (R,) bool.
        part: (R,) int32 what was hit (codes of raycast).
        mixed: (R,) bool: the range lies between two surfaces.
    """

    xyz_lidar: NDArray[np.float32]
    intensity: NDArray[np.float32]
    ring: NDArray[np.float32]
    returned: NDArray[np.bool_]
    part: NDArray[np.int32]
    mixed: NDArray[np.bool_]


def column_times(stamp_s: float, phase: float) -> Float64:
    """When each column (C,) fires; `phase` in 0..1 shifts the columns by part of their gap."""
    return stamp_s + SPIN.period_s * ((np.arange(COLUMNS) + phase) / COLUMNS - 1)


def column_directions(rig: Rig, phase: float) -> Float64:
    """Unit directions (C,B,3) in lidar: clockwise from the scan start."""
    azimuth_ego = SPIN.scan_start_azimuth_rad - 2 * np.pi * (np.arange(COLUMNS) + phase) / COLUMNS
    ahead = rig.T_ego_lidar[:3, 0]
    azimuth = (azimuth_ego - np.arctan2(ahead[1], ahead[0]))[:, None]
    flat, up = np.cos(ELEVATIONS_RAD), np.broadcast_to(np.sin(ELEVATIONS_RAD), (COLUMNS, BEAMS))
    return np.stack([flat * np.cos(azimuth), flat * np.sin(azimuth), up], axis=-1)


def spin(world: World, rig: Rig, stamp_s: float, rng: np.random.Generator) -> Turn:
    """Turn once, ending at the stamp."""
    phase = float(rng.uniform(0, 1))
    times = column_times(stamp_s, phase)
    directions = column_directions(rig, phase)
    T_world_lidar = world.ego.T_world_body(times) @ rig.T_ego_lidar
    hits = _cast(world, T_world_lidar, directions, stamp_s, times)
    ranges, cosine = hits.range_m, _cosine(hits, T_world_lidar, directions)
    reflectivity = _reflectivity(world, hits)
    own = own_body(rig, directions)
    reflectivity, cosine = np.where(own > 0, 0.5, reflectivity), np.where(own > 0, 0.6, cosine)
    part = np.where(own > 0, -1, hits.part).astype(np.int32)
    ranges = np.where(own > 0, own, ranges)
    power = reflectivity * np.sqrt(cosine) * (ASPHALT_REACH_M / np.maximum(ranges, 3.0)) ** 2 / 0.028
    seen = (ranges > 0) & (rng.random(len(ranges)) < np.clip(power - 0.5, 0, 1)) & (rng.random(len(ranges)) > DROPOUT)
    ranges, mixed = mix_edges(np.where(seen, ranges, 0.0), hits.shape, rng)
    ranges = np.where(seen, ranges + rng.normal(0, RANGE_NOISE_M, len(ranges)), 0.0)
    back = 110 * reflectivity * np.sqrt(cosine) * np.minimum(1.0, 25 / np.maximum(ranges, 1.0))
    back += rng.normal(0, 2, len(ranges))
    return Turn(
        xyz_lidar=_compensated(world, rig, stamp_s, T_world_lidar, directions, ranges),
        intensity=np.where(seen, np.clip(np.rint(back), 1, 255), 0).astype(np.float32),
        ring=np.tile(np.arange(BEAMS, dtype=np.float32), COLUMNS),
        returned=seen,
        part=part,
        mixed=mixed,
    )


def _cast(world: World, T_world_lidar: Float64, directions: Float64, stamp_s: float, times: Float64) -> Hits:
    start = stamp_s - SPIN.period_s
    knots = world.part_poses(np.linspace(start, stamp_s, KNOTS))
    hits = empty_hits(COLUMNS * BEAMS)
    in_knots = (times - start) / SPIN.period_s * (KNOTS - 1)
    cast_columns(world.shapes, knots, in_knots, T_world_lidar, directions, MAX_RANGE_M, hits)
    return hits


def _cosine(hits: Hits, T_world_lidar: Float64, directions: Float64) -> Float64:
    """Cosine (R,) of the angle at which each ray meets its surface."""
    world = np.einsum("cij,cbj->cbi", T_world_lidar[:, :3, :3], directions).reshape(-1, 3)
    cosine: Float64 = np.abs(np.einsum("ri,ri->r", world, hits.normal.astype(np.float64)))
    return cosine


def _reflectivity(world: World, hits: Hits) -> Float64:
    out = np.empty(len(hits.range_m))
    reflectivities(hits, world.surfaces, world.shapes.param, REFLECTIVITY, 0.3, world.ground.road, out)
    return out


def own_body(rig: Rig, directions: Float64) -> Float64:
    """Range (R,) at which rays meet the recording car's own roof or bonnet, 0 = they clear it."""
    d = directions.reshape(-1, 3) @ rig.T_ego_lidar[:3, :3].T
    out = np.zeros(len(d))
    below = np.minimum(d[:, 2], -1e-6)
    for z, x0, x1, half_width in ((1.52, -0.15, 1.55, 0.56), (0.95, 2.3, 3.1, 0.7)):
        t = (z - rig.T_ego_lidar[2, 3]) / below
        x, y = rig.T_ego_lidar[0, 3] + t * d[:, 0], t * d[:, 1]
        hit = (d[:, 2] < -1e-3) & (x > x0) & (x < x1) & (np.abs(y) < half_width) & (out == 0)
        out = np.where(hit, t, out)
    return out


def mix_edges(ranges: Float64, shape: NDArray[np.int32], rng: np.random.Generator) -> tuple[Float64, NDArray[np.bool_]]:
    """Let beams that straddle an edge report a range between its two surfaces; shape (R,) is what each ray met.

    The edge lies anywhere between two rays, so a beam covers it as often as its width covers their gap. One shape has
    no edge within it, and ground in front of something touches it.
    """
    image, what = ranges.reshape(COLUMNS, BEAMS), shape.reshape(COLUMNS, BEAMS)
    out, mixed = image.copy(), np.zeros(image.shape, dtype=bool)
    for axis, share in ((0, FOOTPRINT_COLUMNS), (1, FOOTPRINT_BEAMS)):
        for step in (1, -1):
            other = np.roll(image, step, axis=axis)
            gap, neighbour = other - image, np.roll(what, step, axis=axis)
            edge = (image > 2.5) & (other > 2.5) & (np.abs(gap) > 0.25) & (np.abs(gap) < MERGE_M)
            edge &= (what != neighbour) & (np.where(gap > 0, what, neighbour) >= 0)
            edge &= (np.abs(gap) > 0.06 * image) & (rng.random(image.shape) < share)
            out = np.where(edge, image + gap * rng.uniform(0.05, 0.6, image.shape), out)
            mixed |= edge
    return out.reshape(-1), mixed.reshape(-1)


def _compensated(
    world: World, rig: Rig, stamp_s: float, T_world_lidar: Float64, directions: Float64, ranges: Float64
) -> NDArray[np.float32]:
    """Points (R,3) in the lidar frame at the stamp, as if all that was hit stood still."""
    T_lidar_world = inverse(world.ego.T_world_body(np.array([stamp_s]))[0] @ rig.T_ego_lidar)
    steps = T_lidar_world @ T_world_lidar
    xyz = np.einsum("cij,cbj->cbi", steps[:, :3, :3], directions * ranges.reshape(COLUMNS, BEAMS, 1))
    out: NDArray[np.float32] = (xyz + steps[:, None, :3, 3]).reshape(-1, 3).astype(np.float32)
    return out
