"""Layers of surfels in an image: the nearest surface that is well supported."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from densegt.accumulation.config import SurfelConfig
from densegt.accumulation.render.frustum import VisibleSurfels
from densegt.datasets.scene import Camera
from densegt.kernels.blend_surfels import blend_surfels
from densegt.kernels.layer_buffer import (
    SurfaceLayer,
    clear_layer_buffer,
    front_layer,
    next_layer,
    read_layer_buffer,
    widen_front,
)
from densegt.kernels.splat_surfels import splat_surfels
from densegt.kernels.surfel import ProjectedSurfels

Float32 = NDArray[np.float32]
Int32 = NDArray[np.int32]


@dataclass(frozen=True)
class Layers:
    """The nearest layer of surfels, the one behind it, and of both the one visible at each pixel."""

    first: SurfaceLayer
    second: SurfaceLayer
    front: SurfaceLayer


def front_surface(visible: VisibleSurfels, camera: Camera, config: SurfelConfig) -> Layers:
    """The nearest layer of surfels at each pixel, or the next where that has far more weight.

    Range noise frays outlines: a few surfels of many sweeps lie beside the object and weigh little against the layer
    behind. Moving objects are exempt, since the world behind them was seen for much longer.
    """
    tolerance = (config.hide_relative, config.hide_absolute_m)
    buffer = clear_layer_buffer(camera.height_px, camera.width_px)
    shape = (camera.height_px, camera.width_px)
    surfels = visible.projected
    first, behind = nearest_layer(surfels, np.arange(len(surfels.rows), dtype=np.int32), buffer, shape, config)
    next_layer(buffer, first.depth_m, *tolerance)
    second, _ = nearest_layer(surfels, behind, buffer, shape, config)
    front = empty_layer(shape)
    front_layer(first, second, visible.attributes.moving, config.weak_share, front)
    return Layers(first, second, front)


def nearest_layer(
    surfels: ProjectedSurfels, which: Int32, buffer: Float32, shape: tuple[int, int], config: SurfelConfig
) -> tuple[SurfaceLayer, Int32]:
    """The nearest layer of surfels that the buffer is open to, and those that may reach behind it.

    Args:
        which: (L,) rows of the projected surfels.
    """
    splat_surfels(surfels, which, buffer)
    farthest = np.empty(buffer.shape[:2], dtype=np.float32)
    widen_front(buffer, config.hide_relative, config.hide_absolute_m, farthest)
    reaches_behind = np.empty(len(which), dtype=np.bool_)
    blend_surfels(surfels, which, farthest, buffer, reaches_behind)
    layer = empty_layer(shape)
    read_layer_buffer(buffer, surfels.rows, layer)
    return layer, which[reaches_behind]


def empty_layer(shape: tuple[int, int]) -> SurfaceLayer:
    """A layer (H,W) to be written."""
    return SurfaceLayer(np.empty(shape, np.float32), np.empty(shape, np.float32), np.empty(shape, np.int32))
