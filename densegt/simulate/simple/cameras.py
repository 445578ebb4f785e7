"""The cameras: a picture, and through each pixel's centre the exact depth and what is seen."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from densegt.depth.kind import Kind
from densegt.geometry.camera import rays
from densegt.kernels.raycast import GROUND_PART, NO_PART, Hits, cast_image
from densegt.kernels.shade import shade
from densegt.simulate.drive import CameraMount, Exposure
from densegt.simulate.simple.hits import empty_hits
from densegt.simulate.simple.shadows import ShadowMap
from densegt.simulate.simple.world import World

Float64 = NDArray[np.float64]

MAX_RANGE_M = 254.0
"""What is farther counts as sky; the store ends at 255.99 m."""


def expose(
    world: World, mount: CameraMount, shadows: ShadowMap, t_s: float, *, width_px: int, height_px: int
) -> Exposure:
    """Take a picture at time t (all of it at once), lit as at about that time."""
    T_world_cam = world.ego.T_world_body(np.array([t_s]))[0] @ mount.T_ego_cam
    hits = empty_hits(width_px * height_px)
    poses = world.part_poses(np.array([t_s]))[0]
    cast_image(world.shapes, poses, T_world_cam, mount.K, width_px, height_px, MAX_RANGE_M, hits)
    directions = rays(mount.K, width_px, height_px).reshape(-1, 3)
    length = np.linalg.norm(directions, axis=1)
    seen = hits.part != NO_PART
    part = np.maximum(hits.part, 0)
    kind = np.where(hits.part == GROUND_PART, Kind.GROUND, np.where(seen, world.part_kind[part], Kind.NONE))
    object_id = np.where(hits.part >= 0, world.part_object[part], 0)
    shape = (height_px, width_px)
    return Exposure(
        depth_m=(hits.range_m / length).astype(np.float32).reshape(shape),
        kind=kind.astype(np.uint8).reshape(shape),
        object_id=object_id.astype(np.uint16).reshape(shape),
        rgb=_picture(world, hits, shadows, T_world_cam, directions / length[:, None]).reshape(*shape, 3),
        layers={},
    )


def _picture(
    world: World, hits: Hits, shadows: ShadowMap, T_world_cam: Float64, directions_cam: Float64
) -> NDArray[np.uint8]:
    directions = directions_cam @ T_world_cam[:3, :3].T
    xyz_world = T_world_cam[:3, 3] + directions * hits.range_m[:, None]
    out = np.empty((len(directions), 3), dtype=np.uint8)
    shade(
        hits, world.surfaces, world.shapes.param, world.part_object, directions,
        shadows.light(hits, xyz_world), world.sun, world.ground.road, out,
    )  # fmt: skip
    return out
