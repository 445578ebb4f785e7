"""Confidence of each pixel's depth: features, and the model that weighs them."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from densegt.accumulation.render.confidence_model import shipped_confidence_model
from densegt.accumulation.render.frustum import VisibleSurfels
from densegt.accumulation.render.surfel_layers import Layers
from densegt.datasets.scene import Camera
from densegt.kernels.confidence_features import COLUMNS, FeatureImages, confidence_features, confidence_of_features
from densegt.kernels.count_layers import count_layers
from densegt.kernels.interpolate_between import InterpolatedDepth
from densegt.kernels.layer_buffer import weight_per_angle
from densegt.kernels.plane_votes import plane_votes

Float32 = NDArray[np.float32]

# Windows, as angles so that they mean the same at every image size; at a focal length of 633 px they are 5, 9 and 17
# pixels wide.
CLOSE_RAD, AROUND_RAD, WIDE_RAD = 0.0032, 0.0063, 0.0126
# A measured pixel's plane passes through its neighbour to within this.
AGREE_RELATIVE, AGREE_M = 0.03, 0.1


def estimate_confidence(visible: VisibleSurfels, camera: Camera, layers: Layers, depth: InterpolatedDepth) -> Float32:
    """Probability (H,W) that depth is right to max(0.5 m, 5 %), by the model that ships; 0 where unknown."""
    out = np.empty(depth.depth_m.shape, dtype=np.float32)
    images = feature_images(visible, camera, layers, depth)
    confidence_of_features(images, visible.attributes, shipped_confidence_model(), out.ravel())
    return out


def features(visible: VisibleSurfels, camera: Camera, layers: Layers, depth: InterpolatedDepth) -> Float32:
    """Features (P,17) of each known pixel in row-major order; see `densegt.kernels.confidence_features.COLUMNS`.

    Most wrong pixels lie beside an outline: there few measured points agree, something nearer is close by, surfels
    reach where no beam landed (much weight, few points), and weight falls off within a few pixels.
    """
    out = np.empty((int((depth.depth_m > 0).sum()), len(COLUMNS)), dtype=np.float32)
    confidence_features(feature_images(visible, camera, layers, depth), visible.attributes, out)
    return out


def feature_images(visible: VisibleSurfels, camera: Camera, layers: Layers, depth: InterpolatedDepth) -> FeatureImages:
    """The images that features are computed from, flat."""
    depth_m, shape = depth.depth_m, depth.depth_m.shape
    known = depth_m > 0
    close, around, wide = (_window(angle, camera) for angle in (CLOSE_RAD, AROUND_RAD, WIDE_RAD))
    agree, farther = np.zeros(shape, dtype=np.uint16), np.zeros(shape, dtype=np.uint16)
    tolerance = (AGREE_RELATIVE, AGREE_M)
    plane_votes(depth_m, depth.measured, depth.inverse_slope, len(close) // 2, *tolerance, agree, farther)
    far_m = np.where(known, depth_m, np.float32(1e6))
    support, static_support = _support(layers, visible)
    images = FeatureImages(
        depth_m=depth_m,
        surfel=depth.surfel,
        measured=depth.measured,
        between=depth.between,
        agree=agree,
        farther=farther,
        nearest_around_m=_nearest(far_m, around),
        nearest_close_m=_nearest(far_m, close),
        support=support,
        support_around=np.asarray(cv2.dilate(static_support, wide), dtype=np.float32),
        first_weight=layers.first.weight,
        second_weight=layers.second.weight,
        known_around=_share(known.astype(np.float32), around),
        penetration=penetration(visible, camera, layers, around),
    )
    return FeatureImages._make(image.ravel() for image in images)


def penetration(visible: VisibleSurfels, camera: Camera, layers: Layers, window: NDArray[np.uint8]) -> Float32:
    """Share (H,W) of the returns in a window that lie behind the front surface, of lidars beside the camera.

    Zero on solid surfaces; more than half on a fence or in a tree's crown.
    """
    shape = layers.front.depth_m.shape
    on, behind = np.zeros(shape, dtype=np.float32), np.zeros(shape, dtype=np.float32)
    tolerance = (AGREE_RELATIVE, AGREE_M)
    count_layers(visible.surfels.xyz, visible.beside, camera.K, layers.front.depth_m, *tolerance, on, behind)
    on, behind = _share(on, window), _share(behind, window)
    # A prior of half a return in front: 0 where there is no return.
    return np.asarray(behind / (behind + on + np.float32(0.5 / window.size)), dtype=np.float32)


def _window(angle_rad: float, camera: Camera) -> NDArray[np.uint8]:
    """A square of ones, of odd size."""
    size = 2 * max(1, round(angle_rad * camera.K[0, 0])) + 1
    return np.ones((size, size), dtype=np.uint8)


def _nearest(depth_m: Float32, window: NDArray[np.uint8]) -> Float32:
    return np.asarray(cv2.erode(depth_m, window), dtype=np.float32)


def _share(image: Float32, window: NDArray[np.uint8]) -> Float32:
    """Mean over the window, zero outside the image."""
    return np.asarray(cv2.blur(image, window.shape, borderType=cv2.BORDER_CONSTANT), dtype=np.float32)


def _support(layers: Layers, visible: VisibleSurfels) -> tuple[Float32, Float32]:
    """The front layer's weight (H,W) in surfels per solid angle, and the same of static surfels only.

    Moving objects are seen for a moment and would seem thin beside the rest of the world.
    """
    shape = layers.front.depth_m.shape
    weight, static_weight = np.empty(shape, dtype=np.float32), np.empty(shape, dtype=np.float32)
    weight_per_angle(layers.front, visible.attributes.moving, weight, static_weight)
    return weight, static_weight
