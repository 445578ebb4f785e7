"""The same object in another light, and not quite in the middle of its crop."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from densegt.detection.mono.config import AugmentConfig

# Of 255 that a picture is lighter or darker by, where contrast is up to twice or nought.
LIGHT = 60.0
# Of the contrast, by which the three colours differ.
TINT = 0.5


def varied(image: NDArray[np.uint8], rng: np.random.Generator, config: AugmentConfig) -> NDArray[np.uint8]:
    """A crop (3,S,S) with other contrast, colours and light, shifted and stretched; black from beyond its edges.

    Where the 2D box is and how large is told by numbers, which stay: the picture tells what it shows.
    """
    side = image.shape[-1]
    turn = rng.uniform(-1, 1, 9)
    lit = _lit(np.moveaxis(image, 0, -1), turn[:5], config)
    scale, shift = 1 + config.jitter * turn[5:7], 0.5 * side * (config.jitter * (turn[7:9] - turn[5:7]))
    A = np.array([[scale[0], 0, shift[0]], [0, scale[1], shift[1]]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    moved = cv2.warpAffine(lit, A, (side, side), flags=flags)
    return np.ascontiguousarray(np.moveaxis(moved, -1, 0))


def relit(image: NDArray[np.uint8], rng: np.random.Generator, config: AugmentConfig) -> NDArray[np.uint8]:
    """An image (H,W,3) with other contrast, colours and light."""
    return _lit(image, rng.uniform(-1, 1, 5), config)


def _lit(image: NDArray[np.uint8], turn: NDArray[np.float64], config: AugmentConfig) -> NDArray[np.uint8]:
    """By five numbers from -1 to 1."""
    contrast, tint = 1 + config.colour * turn[0], (1 + TINT * config.colour * turn[1:4]).astype(np.float32)
    mean, light = float(image.mean()), LIGHT * config.colour * turn[4]
    lit = ((image.astype(np.float32) - mean) * contrast + mean) * tint + light
    return np.asarray(lit.clip(0, 255), np.uint8)
