"""Layers of patches in an image: the nearest surface that is well supported."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from densegt.accumulate.config import SurfaceConfig
from densegt.accumulate.patches import Patches
from densegt.accumulate.view import View
from densegt.datasets.scene import Camera
from densegt.kernels.blend_patches import blend_patches
from densegt.kernels.inverse_slopes import inverse_slopes as inverse_slopes_kernel
from densegt.kernels.splat_patches import splat_patches

Float32 = NDArray[np.float32]


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
    best: NDArray[np.int32]

    def layers(self) -> tuple[Float32, Float32, NDArray[np.int32]]:
        """Depth, weight and best."""
        return self.depth_m, self.weight, self.best


def front_surface(view: View, camera: Camera, config: SurfaceConfig) -> Surface:
    """The nearest layer of patches at each pixel, or the next where that is far better supported.

    Range noise makes outlines bristle: a few of many sweeps put a patch beside the object. Such a layer weighs little
    against the one behind it. Movers are exempt, since the world behind them was seen for much longer.
    """
    first = layer(view, camera, np.zeros((camera.height_px, camera.width_px), np.float32), config)
    second = layer(view, camera, behind(first.depth_m, config), config)
    weak = (first.weight < config.weak_share * second.weight) & ~of_moving(first, view)
    return Surface(*(np.where(weak, b, a) for a, b in zip(first.layers(), second.layers(), strict=True)))


def layer(view: View, camera: Camera, beyond_m: Float32, config: SurfaceConfig) -> Surface:
    """The nearest layer of patches beyond a depth (H,W) m."""
    patches = view.patches
    shape = beyond_m.shape
    front_m = np.full(shape, np.inf, dtype=np.float32)
    shape_of = (patches.xyz, patches.tangents, patches.half_m)
    image = (camera.K, view.reach_px, beyond_m)
    splat_patches(*shape_of, *image, front_m)
    weighted, weight = np.zeros(shape, dtype=np.float32), np.zeros(shape, dtype=np.float32)
    best = np.full(shape, -1, dtype=np.int32)
    tolerance = (config.hide_relative, config.hide_absolute_m)
    blend_patches(*shape_of, view.trust, *image, front_m, *tolerance, weighted, weight, best)
    depth_m = np.where(weight > 0, weighted / np.maximum(weight, 1e-12), np.inf).astype(np.float32)
    return Surface(depth_m, weight, best)


def behind(depth_m: Float32, config: SurfaceConfig) -> Float32:
    """Where the next surface may begin, (H,W) m: past the tolerance of this one."""
    return np.asarray(depth_m * (1 + config.hide_relative) + config.hide_absolute_m, dtype=np.float32)


def of_moving(surface: Surface, view: View) -> NDArray[np.bool_]:
    """Pixels (H,W) where the surface is of something that moves."""
    out = surface.best >= 0
    out[out] = view.moving[surface.best[out]]
    return out


def fringe(surface: Surface, view: View, config: SurfaceConfig) -> NDArray[np.bool_]:
    """Pixels (H,W) where the surface has far less support than close by: the bristles of an outline.

    Support is counted in patches a pixel, hence the weight (per square metre) times z^2. Movers are seen for a moment
    and neither count nor suffer.
    """
    counts = (surface.best >= 0) & ~of_moving(surface, view)
    support = np.where(counts, surface.weight * np.square(np.where(counts, surface.depth_m, 0)), 0)
    around = cv2.dilate(support.astype(np.float32), np.ones((9, 9), np.uint8))
    thin: NDArray[np.bool_] = counts & (support < config.fringe_share * around)
    return thin


def inverse_slopes(patches: Patches, camera: Camera, row_of: NDArray[np.int32]) -> Float32:
    """How inverse depth changes over the image on each pixel's patch (row_of (H,W)), (H,W,2) 1/(m px)."""
    out = np.empty((*row_of.shape, 2), dtype=np.float32)
    inverse_slopes_kernel(patches.xyz, patches.tangents, camera.K, row_of, out)
    return out
