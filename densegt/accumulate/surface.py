"""Layers of patches in an image: the nearest surface that is well supported."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from densegt.accumulate.config import SurfaceConfig
from densegt.accumulate.planes import Planes
from densegt.accumulate.view import View
from densegt.datasets.scene import Camera
from densegt.kernels.blend_patches import blend_patches
from densegt.kernels.canvas import blank_canvas, read_canvas, turn_page, widen_front
from densegt.kernels.splat_patches import splat_patches

Float32 = NDArray[np.float32]
Int32 = NDArray[np.int32]


@dataclass(frozen=True)
class Surface:
    """A layer of patches.

    Attributes:
        depth_m: (H,W) float32, their mean depth, infinity where there is none.
        weight: (H,W) float32 1/m^2, how many patches lie there, each by its trust and nearness.
        best: (H,W) int32, row of the patch that counts most, -1 for none.
    """

    depth_m: Float32
    weight: Float32
    best: Int32

    def layers(self) -> tuple[Float32, Float32, Int32]:
        """Depth, weight and best."""
        return self.depth_m, self.weight, self.best


@dataclass(frozen=True)
class Layers:
    """The nearest layer of patches, the one behind it, and of both the one that shows at each pixel."""

    first: Surface
    second: Surface
    front: Surface


def front_surface(view: View, camera: Camera, config: SurfaceConfig) -> Layers:
    """The nearest layer of patches at each pixel, or the next where that is far better supported.

    Range noise makes outlines bristle: a few of many sweeps put a patch beside the object. Such a layer weighs little
    against the one behind it. Movers are exempt, since the world behind them was seen for much longer.
    """
    tolerance = (config.hide_relative, config.hide_absolute_m)
    canvas = blank_canvas(camera.height_px, camera.width_px)
    shape = (camera.height_px, camera.width_px)
    first, behind = layer(view.planes, np.arange(len(view.planes.rows), dtype=np.int32), canvas, shape, config)
    turn_page(canvas, first.depth_m, *tolerance)
    second, _ = layer(view.planes, behind, canvas, shape, config)
    weak = (first.weight < config.weak_share * second.weight) & ~of_moving(first, view)
    front = Surface(*(np.where(weak, b, a) for a, b in zip(first.layers(), second.layers(), strict=True)))
    return Layers(first, second, front)


def layer(
    planes: Planes, which: Int32, canvas: Float32, shape: tuple[int, int], config: SurfaceConfig
) -> tuple[Surface, Int32]:
    """The nearest layer of some patches beyond what the canvas begins with, and those that may reach behind it."""
    splat_patches(planes.planes, planes.bounds, which, canvas)
    farthest = np.empty(canvas.shape[:2], dtype=np.float32)
    widen_front(canvas, config.hide_relative, config.hide_absolute_m, farthest)
    reaches_behind = np.empty(len(which), dtype=np.bool_)
    blend_patches(planes.planes, planes.bounds, which, farthest, canvas, reaches_behind)
    surface = Surface(np.empty(shape, np.float32), np.empty(shape, np.float32), np.empty(shape, np.int32))
    read_canvas(canvas, planes.rows, *surface.layers())
    return surface, which[reaches_behind]


def of_moving(surface: Surface, view: View) -> NDArray[np.bool_]:
    """Pixels (H,W) where the surface is of something that moves."""
    return np.append(view.moving, False)[surface.best]
