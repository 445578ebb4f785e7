"""How sure each pixel's depth is: what speaks for it and against it, weighed."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from densegt.accumulate.render.confidence_model import shipped_confidence_model
from densegt.accumulate.render.frustum import VisibleSurfels
from densegt.accumulate.render.interpolated_depth import InterpolatedDepth
from densegt.accumulate.render.surfel_layers import Layers, of_moving
from densegt.datasets.scene import Camera
from densegt.kernels.confidence_features import COLUMNS, confidence_features, confidence_of_features
from densegt.kernels.count_layers import count_layers
from densegt.kernels.plane_votes import plane_votes

Float32 = NDArray[np.float32]

# Windows, as angles so that they mean the same at every image size; at a focal length of 633 px they are 5, 9 and 17
# pixels wide.
CLOSE_RAD, AROUND_RAD, WIDE_RAD = 0.0032, 0.0063, 0.0126
# A measured pixel's plane passes through its neighbour to within this.
AGREE_RELATIVE, AGREE_M = 0.03, 0.1


def confidence(view: VisibleSurfels, camera: Camera, layers: Layers, filled: InterpolatedDepth) -> Float32:
    """Probability (H,W) that a pixel's depth is right to max(0.5 m, 5 %), by the judge that ships; 0 where unknown."""
    out = np.empty(filled.depth_m.shape, dtype=np.float32)
    arguments = [*_witnesses(view, camera, layers, filled), *shipped_confidence_model().layers(), out.ravel()]
    confidence_of_features(*arguments)
    return out


def gather_evidence(view: VisibleSurfels, camera: Camera, layers: Layers, filled: InterpolatedDepth) -> Float32:
    """Evidence (P,17) for each known pixel in row-major order; see `densegt.kernels.confidence_features.COLUMNS`.

    Most wrong pixels lie beside an outline. There few measured points agree, something nearer is close by, surfels
    reach where no beam ever landed (much weight, few points), and weight falls off within a few pixels.
    """
    out = np.empty((int((filled.depth_m > 0).sum()), len(COLUMNS)), dtype=np.float32)
    arguments = [*_witnesses(view, camera, layers, filled), out]
    confidence_features(*arguments)
    return out


def _witnesses(view: VisibleSurfels, camera: Camera, layers: Layers, filled: InterpolatedDepth) -> list[Any]:
    """What `confidence_features` takes, in its order."""
    depth_m, shape = filled.depth_m, filled.depth_m.shape
    known = depth_m > 0
    close, around, wide = (_window(angle, camera) for angle in (CLOSE_RAD, AROUND_RAD, WIDE_RAD))
    agree, farther = np.zeros(shape, dtype=np.uint16), np.zeros(shape, dtype=np.uint16)
    votes = (agree, farther)
    plane_votes(depth_m, filled.measured, filled.inverse_slope, len(close) // 2, AGREE_RELATIVE, AGREE_M, *votes)
    far_m = np.where(known, depth_m, np.float32(1e6))
    support = _support(layers, view)
    images = (
        depth_m,
        filled.row_of,
        filled.measured,
        filled.between,
        *votes,
        _nearest(far_m, around),
        _nearest(far_m, close),
        support[0],
        np.asarray(cv2.dilate(support[1], wide), dtype=np.float32),
        layers.first.weight,
        layers.second.weight,
        _share(known.astype(np.float32), around),
        seen_through(view, camera, layers, around),
    )
    surfels = (view.moving, view.passing, view.trust, view.age_s, view.incidence)
    return [image.ravel() for image in images] + list(surfels)


def seen_through(view: VisibleSurfels, camera: Camera, layers: Layers, window: NDArray[np.uint8]) -> Float32:
    """Share (H,W) of the returns around a pixel that came from behind the front surface, of lidars beside the camera.

    Zero on what is solid; more than half on a fence or in a tree's crown, where what is in front fills few pixels.
    """
    shape = layers.front.depth_m.shape
    on, behind = np.zeros(shape, dtype=np.float32), np.zeros(shape, dtype=np.float32)
    tolerance = (AGREE_RELATIVE, AGREE_M)
    count_layers(view.surfels.xyz, view.beside, camera.K, layers.front.depth_m, *tolerance, on, behind)
    on, behind = _share(on, window), _share(behind, window)
    # Half a return's worth of doubt: where nobody looked, nothing was seen through.
    return np.asarray(behind / (behind + on + np.float32(0.5 / window.size)), dtype=np.float32)


def _window(angle_rad: float, camera: Camera) -> NDArray[np.uint8]:
    """A square of ones, of odd size."""
    size = 2 * max(1, round(angle_rad * camera.K[0, 0])) + 1
    return np.ones((size, size), dtype=np.uint8)


def _nearest(depth_m: Float32, window: NDArray[np.uint8]) -> Float32:
    return np.asarray(cv2.erode(depth_m, window), dtype=np.float32)


def _share(of: Float32, window: NDArray[np.uint8]) -> Float32:
    """Mean over the window; what lies outside the image counts as zero."""
    return np.asarray(cv2.blur(of, window.shape, borderType=cv2.BORDER_CONSTANT), dtype=np.float32)


def _support(layers: Layers, view: VisibleSurfels) -> tuple[Float32, Float32]:
    """The front layer's weight in surfels a solid angle, and the same of what stands still only.

    Movers are seen for a moment and would seem thin beside the rest of the world.
    """
    front = layers.front
    weight = front.weight * np.square(np.where(front.best >= 0, front.depth_m, 0))
    return weight.astype(np.float32), np.where(of_moving(front, view), 0, weight).astype(np.float32)
