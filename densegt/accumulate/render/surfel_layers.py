"""Layers of surfels in an image: the nearest surface that is well supported."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from densegt.accumulate.config import SurfelConfig
from densegt.accumulate.render.frustum import VisibleSurfels
from densegt.accumulate.render.projected_surfels import ProjectedSurfels
from densegt.datasets.scene import Camera
from densegt.kernels.blend_surfels import blend_surfels
from densegt.kernels.layer_buffer import clear_layer_buffer, next_layer, read_layer_buffer, widen_front
from densegt.kernels.splat_surfels import splat_surfels

Float32 = NDArray[np.float32]
Int32 = NDArray[np.int32]


@dataclass(frozen=True)
class SurfaceLayer:
    """A layer of surfels.

    Attributes:
        depth_m: (H,W) float32, their mean depth, infinity where there is none.
        weight: (H,W) float32 1/m^2, how many surfels lie there, each by its trust and nearness.
        best: (H,W) int32, row of the surfel that counts most, -1 for none.
    """

    depth_m: Float32
    weight: Float32
    best: Int32

    def layers(self) -> tuple[Float32, Float32, Int32]:
        """Depth, weight and best."""
        return self.depth_m, self.weight, self.best


@dataclass(frozen=True)
class Layers:
    """The nearest layer of surfels, the one behind it, and of both the one that shows at each pixel."""

    first: SurfaceLayer
    second: SurfaceLayer
    front: SurfaceLayer


def front_surface(view: VisibleSurfels, camera: Camera, config: SurfelConfig) -> Layers:
    """The nearest layer of surfels at each pixel, or the next where that is far better supported.

    Range noise makes outlines bristle: a few of many sweeps put a surfel beside the object. Such a layer weighs little
    against the one behind it. Movers are exempt, since the world behind them was seen for much longer.
    """
    tolerance = (config.hide_relative, config.hide_absolute_m)
    canvas = clear_layer_buffer(camera.height_px, camera.width_px)
    shape = (camera.height_px, camera.width_px)
    first, behind = layer(view.planes, np.arange(len(view.planes.rows), dtype=np.int32), canvas, shape, config)
    next_layer(canvas, first.depth_m, *tolerance)
    second, _ = layer(view.planes, behind, canvas, shape, config)
    weak = (first.weight < config.weak_share * second.weight) & ~of_moving(first, view)
    front = SurfaceLayer(*(np.where(weak, b, a) for a, b in zip(first.layers(), second.layers(), strict=True)))
    return Layers(first, second, front)


def layer(
    planes: ProjectedSurfels, which: Int32, canvas: Float32, shape: tuple[int, int], config: SurfelConfig
) -> tuple[SurfaceLayer, Int32]:
    """The nearest layer of some surfels beyond what the canvas begins with, and those that may reach behind it."""
    splat_surfels(planes.planes, planes.bounds, which, canvas)
    farthest = np.empty(canvas.shape[:2], dtype=np.float32)
    widen_front(canvas, config.hide_relative, config.hide_absolute_m, farthest)
    reaches_behind = np.empty(len(which), dtype=np.bool_)
    blend_surfels(planes.planes, planes.bounds, which, farthest, canvas, reaches_behind)
    surface = SurfaceLayer(np.empty(shape, np.float32), np.empty(shape, np.float32), np.empty(shape, np.int32))
    read_layer_buffer(canvas, planes.rows, *surface.layers())
    return surface, which[reaches_behind]


def of_moving(surface: SurfaceLayer, view: VisibleSurfels) -> NDArray[np.bool_]:
    """Pixels (H,W) where the surface is of something that moves."""
    return np.append(view.moving, False)[surface.best]
