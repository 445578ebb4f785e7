"""Sun shadows: a picture taken from the sun, in which lit points are the nearest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from densegt.kernels.raycast import Hits, cast_image
from densegt.kernels.shadow import sunlight
from densegt.simulate.simple.hits import empty_hits
from densegt.simulate.simple.world import World

Float64 = NDArray[np.float64]

AWAY_M = 2000.0
"""The sun's camera is this far, so its rays are nearly parallel."""

WIDTH_M, STEP_M = 130.0, 0.22
SIDE_PX = int(WIDTH_M / STEP_M)


@dataclass(frozen=True)
class ShadowMap:
    """Range (S,S) from the sun's camera to what is lit, and that camera."""

    range_m: Float64
    T_world_sun: Float64
    K: Float64

    def light(self, hits: Hits, xyz_world: Float64) -> NDArray[np.float32]:
        """Share of sunlight (R,) in 0..1 on points (R,3); what the map does not reach is lit."""
        out = np.empty(len(xyz_world), dtype=np.float32)
        sunlight(xyz_world, hits.normal, self.range_m, self.T_world_sun, self.K, out)
        return out


def shadow_map(world: World, t_s: float) -> ShadowMap:
    """The sun's view of the ego's surroundings at time t."""
    T_world_ego = world.ego.T_world_body(np.array([t_s]))[0]
    target = T_world_ego[:3, 3] + 15.0 * T_world_ego[:3, 0]
    T = np.eye(4)
    T[:3, 2] = -world.sun
    T[:3, 0] = np.cross([0.0, 0.0, 1.0], world.sun)
    T[:3, 0] /= np.linalg.norm(T[:3, 0])
    T[:3, 1] = np.cross(T[:3, 2], T[:3, 0])
    T[:3, 3] = target + AWAY_M * world.sun
    middle = (SIDE_PX - 1) / 2
    K = np.array([[AWAY_M / STEP_M, 0, middle], [0, AWAY_M / STEP_M, middle], [0, 0, 1]])
    hits = empty_hits(SIDE_PX * SIDE_PX)
    cast_image(world.shapes, world.part_poses(np.array([t_s]))[0], T, K, SIDE_PX, SIDE_PX, 2 * AWAY_M, hits)
    return ShadowMap(hits.range_m.reshape(SIDE_PX, SIDE_PX), T, K)
