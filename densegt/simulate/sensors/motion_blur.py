"""Motion blur: how far what a pixel shows moves while the shutter is open, and the light smeared so."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from densegt.geometry.camera import project
from densegt.geometry.se3 import apply, inverse
from densegt.simulate.drive import CameraMount
from densegt.simulate.sensors.casting import Hits
from densegt.simulate.world import World

Float64 = NDArray[np.float64]
Float32 = NDArray[np.float32]

COARSE = 4
"""The motion is measured at every fourth pixel, which also lets outlines of movers smear over what is behind them."""

SKY_M = 1e4
MOST_PX = 60.0


class Picture(NamedTuple):
    """A picture's camera, its pose (4,4) in the middle of the exposure, and its size."""

    mount: CameraMount
    T_world_cam: Float64
    t_s: float
    height_px: int
    width_px: int


def flow_px(world: World, picture: Picture, shutter_s: float, origin: Float32, way: Float32, hits: Hits) -> Float32:
    """Ways (H/4,W/4,2) in px of what pixels show during an exposure, by the car's motion and each mover's own."""
    index = np.arange(len(way)).reshape(picture.height_px, picture.width_px)[::COARSE, ::COARSE]
    at = index.ravel()
    met = hits.triangle[at] >= 0
    xyz = (origin[at] + np.where(met, hits.range_m[at], SKY_M)[:, None] * way[at]).astype(np.float64)
    times = picture.t_s + shutter_s * np.array([-0.5, 0.5])
    owner = np.where(met, world.look.object_id[np.maximum(hits.triangle[at], 0)], 0)
    places = []
    for t in times:
        moved = xyz.copy()
        for mover in world.movers:
            mine = np.flatnonzero(owner == mover.index + 1)
            if len(mine):
                now, then = mover.thing.motion.T_world_body(np.array([picture.t_s, t]))
                moved[mine] = apply(then @ inverse(now), xyz[mine])
        T_world_cam = world.ego.T_world_body(np.array([t]))[0] @ picture.mount.T_ego_cam
        uv, _ = project(picture.mount.K, apply(inverse(T_world_cam), moved))
        places.append(uv)
    flow = np.clip(np.nan_to_num(places[1] - places[0]), -MOST_PX, MOST_PX)
    return flow.reshape(*index.shape, 2).astype(np.float32)


def smeared(light: Float32, coarse_px: Float32) -> Float32:
    """Light (H,W,3) averaged along ways (h,w,2)."""
    longest = float(np.percentile(np.linalg.norm(coarse_px, axis=-1), 99.5))
    if longest < 0.7:
        return light
    height, width = light.shape[:2]
    flow = cv2.resize(coarse_px, (width, height), interpolation=cv2.INTER_LINEAR)
    u, v = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    steps = np.linspace(-0.5, 0.5, int(np.clip(longest, 3, 9)), dtype=np.float32)
    total = np.zeros_like(light)
    for a in steps:
        total += cv2.remap(
            light, u + a * flow[..., 0], v + a * flow[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
    return total / np.float32(len(steps))
