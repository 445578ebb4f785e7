"""Cameras: a picture, and through each pixel's centre the exact depth and what is seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from densegt.depth.kind import Kind
from densegt.geometry.camera import rays
from densegt.simulate.drive import CameraMount, Exposure
from densegt.simulate.sensors.beams import cast_rays
from densegt.simulate.sensors.bundles import Rays
from densegt.simulate.sensors.casting import Hits
from densegt.simulate.sensors.motion_blur import Picture, flow_px, smeared
from densegt.simulate.sensors.shading import View, cast_view, light_of_rays
from densegt.simulate.world import World

Float64 = NDArray[np.float64]
Float32 = NDArray[np.float32]

MAX_RANGE_M = 254.0
"""What is farther counts as sky; the store ends at 255.99 m."""

ROWS = 4
"""Rows that a rolling shutter exposes together."""


@dataclass(frozen=True)
class Film:
    """How a camera makes numbers of light.

    Attributes:
        gain: exposure; noise: of a mid-grey pixel, in 0..1; blur_px: of the lens; vignette: loss in the corners.
        balance: (3,) colour gains; shutter_s: exposure time.
        readout_s: from the first row's exposure to the last one's; 0 = all rows at once.
    """

    gain: float
    noise: float
    blur_px: float
    vignette: float
    balance: Float64
    shutter_s: float
    readout_s: float


def draw_film(rng: np.random.Generator, light: str, readout_s: float = 0.0) -> Film:
    """A camera's film for a light; it exposes for it as automatics do."""
    gain = {"sun": 0.62, "overcast": 0.95, "dusk": 1.5, "night": 5.5}[light] * float(rng.uniform(0.75, 1.3))
    dark = light in ("night", "dusk")
    return Film(
        gain=gain,
        noise=float(rng.uniform(0.006, 0.014)) * (1.7 if dark else 1.0),
        blur_px=float(rng.uniform(0.35, 0.6)),
        vignette=float(rng.uniform(0.05, 0.25)),
        balance=np.array([rng.uniform(0.95, 1.06), 1.0, rng.uniform(0.94, 1.06)]),
        shutter_s=float(rng.uniform(0.008, 0.02)) if dark else float(rng.uniform(0.001, 0.004)),
        readout_s=readout_s,
    )


def expose(
    world: World, mount: CameraMount, film: Film, t_s: float, rng: np.random.Generator, *, width_px: int, height_px: int
) -> Exposure:
    """Take a picture at time t, of its middle row if rows are read one after the other."""
    t = np.array([t_s])
    T_world_ego = world.ego.T_world_body(t)[0]
    T_world_cam = T_world_ego @ mount.T_ego_cam
    turns = (
        np.stack([thing.motion.T_world_body(t)[0, :3, :3] for thing in world.things]).astype(np.float32)
        if world.things
        else np.zeros((0, 3, 3), np.float32)
    )
    view = View(world, world.moving(t_s), turns, float(1.0 / mount.K[0, 0]), T_world_ego)
    way_cam = rays(mount.K, width_px, height_px).reshape(-1, 3)
    length = np.linalg.norm(way_cam, axis=1)
    unit = way_cam / length[:, None]
    if film.readout_s > 0:
        origin, way, hits = _row_by_row(world, mount, unit.reshape(height_px, width_px, 3), t_s, film.readout_s)
    else:
        way = (unit @ T_world_cam[:3, :3].T).astype(np.float32)
        origin = np.broadcast_to(T_world_cam[:3, 3].astype(np.float32), way.shape)
        hits = cast_view(view, origin, way)
    light = light_of_rays(view, origin, way, hits).reshape(height_px, width_px, 3)
    picture = Picture(mount, T_world_cam, t_s, height_px, width_px)
    light = smeared(light, flow_px(world, picture, film.shutter_s, origin, way, hits))
    seen = (hits.triangle >= 0) & (hits.range_m < MAX_RANGE_M)
    triangle = np.where(seen, hits.triangle, 0)
    shape = (height_px, width_px)

    def layer(values: NDArray[Any], none: int) -> NDArray[Any]:
        return np.where(seen, values[triangle], none).astype(values.dtype).reshape(shape)

    return Exposure(
        depth_m=np.where(seen, hits.range_m / length, 0).astype(np.float32).reshape(shape),
        kind=layer(world.look.kind, Kind.NONE),
        object_id=layer(world.look.object_id, 0),
        rgb=developed(light, film, rng),
        layers={
            "semantic": layer(world.look.semantic, 0),
            "normal": np.where(seen, _octahedral(hits.normal, way, T_world_cam), 0).astype(np.uint16).reshape(shape),
        },
    )


def _octahedral(normal: Float32, way: Float32, T_world_cam: Float64) -> NDArray[np.uint16]:
    """Unit normals (R,3) that look at the camera, in its frame, as two bytes of an octahedron's map, + 1 (0 = none)."""
    n = normal @ T_world_cam[:3, :3].astype(np.float32)
    away = np.einsum("ri,ri->r", normal, way) > 0
    n *= (np.where(away, -1, 1) / np.maximum(np.abs(n).sum(axis=1), 1e-9)).astype(np.float32)[:, None]
    x, y, back = n[:, 0], n[:, 1], n[:, 2] < 0
    flat = np.stack([x, y], axis=1)
    flat[back, 0], flat[back, 1] = _folded(x[back], y[back]), _folded(y[back], x[back])
    steps = np.clip(np.rint(flat * np.float32(127) + np.float32(127)), 0, 254).astype(np.uint16)
    out: NDArray[np.uint16] = steps[:, 0] * 256 + steps[:, 1] + 1
    return out


def _folded(a: Float32, b: Float32) -> Float32:
    """A coordinate of the map where normals point away."""
    out: Float32 = (1 - np.abs(b)) * np.where(a >= 0, np.float32(1), np.float32(-1))
    return out


def _row_by_row(
    world: World, mount: CameraMount, unit_cam: Float64, t_s: float, readout_s: float
) -> tuple[Float32, Float32, Hits]:
    """Rays (R,3) of directions (H,W,3), every few rows at a time of their own, and what they meet."""
    height, width = unit_cam.shape[:2]
    moment = np.arange(height) // ROWS
    times = t_s + readout_s * ((np.arange(moment[-1] + 1) + 0.5) * ROWS / height - 0.5)
    T = (world.ego.T_world_body(times) @ mount.T_ego_cam)[moment]
    way = np.einsum("hij,hwj->hwi", T[:, :3, :3], unit_cam).reshape(-1, 3).astype(np.float32)
    origin = np.repeat(T[:, :3, 3].astype(np.float32), width, axis=0)
    return origin, way, cast_rays(world, Rays(origin, way, np.repeat(moment, width), times))


def developed(light: Float32, film: Film, rng: np.random.Generator) -> NDArray[np.uint8]:
    """A picture (H,W,3) of light (H,W,3): lens, sensor and tone curve."""
    height, width = light.shape[:2]
    image = cv2.GaussianBlur(light, (0, 0), film.blur_px)
    bright = cv2.GaussianBlur(np.maximum(image * film.gain - 1.2, 0), (0, 0), width / 120)
    x, y = np.linspace(-1, 1, width, dtype=np.float32), np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    image = (
        (image * film.gain + 0.5 * bright)
        * (1 - np.float32(film.vignette) * (x * x + y * y) / 2)[..., None]
        * film.balance.astype(np.float32)
    )
    curve = 1 - np.exp(-1.9 * np.maximum(image, 0))
    value = cv2.pow(curve.astype(np.float32), 1 / 2.0) - np.float32(0.03)
    value += rng.standard_normal(value.shape, dtype=np.float32) * np.float32(film.noise) * np.sqrt(0.25 + value)
    out: NDArray[np.uint8] = np.clip(np.rint(value * 255), 0, 255).astype(np.uint8)
    return out
