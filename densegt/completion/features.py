"""What the network sees of an image and its depth: channels in which any density, camera and range look alike."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from densegt.completion.classical import Classical, measured
from densegt.completion.method import Given
from densegt.depth.depth_map import Source
from densegt.kernels.nearest_measured import FIFTHS_PER_PX, NOWHERE

Float32 = NDArray[np.float32]

# Where the classical method sees open sky, the network starts from here if it disagrees.
FAR_M = 80.0
FAR_SIGMA_M = 20.0
# A measured pixel of a store that says nothing of confidence.
UNSAID_CONFIDENCE = 0.95
SOURCES = (Source.OWN_SWEEP, Source.STATIC, Source.MOVER, Source.SURFACE)
SIDES = 4
CHANNELS = 9 + len(SOURCES) + 2 * SIDES
# The log change that would put each pixel at the depth of what is measured above, below, at its left, at its right.
ALTERNATIVES = slice(9 + len(SOURCES), 9 + len(SOURCES) + SIDES)
NO_DISTANCE_PX = 1e4


@dataclass(frozen=True)
class Features:
    """One image as the network takes it; all float32.

    Attributes:
        channels: (CHANNELS,H,W).
        guess_m: (H,W) classical completion, FAR_M in what it takes for sky.
        sigma_m: (H,W) its uncertainty.
        sky: (H,W) 1 where it takes it for sky, else 0.
        known: (H,W) 1 where measured, else 0.
    """

    channels: Float32
    guess_m: Float32
    sigma_m: Float32
    sky: Float32
    known: Float32


def features_of(given: Given, classical: Classical) -> Features:
    """The classical completion of the input, where it comes from, and the image.

    Channels: red, green, blue; log depth of the guess, whether there is one, its log relative uncertainty, log
    distance to what it was carried from, its relative dispute; the row's slope in the camera; the confidence of
    measured pixels, a channel each source; how the nearest measurements on four sides differ from the guess in log
    depth, and their log distances, across edges of the image farther.
    """
    done, causes = classical.complete(given)
    answered = done.depth_m > 0
    guess_m = np.where(answered, done.depth_m, np.float32(FAR_M))
    sigma_m = np.where(answered, done.uncertainty_m, np.float32(FAR_SIGMA_M))
    known = measured(given.depth_m)
    channels = np.empty((CHANNELS, *known.shape), np.float32)
    channels[:3] = (given.image.transpose(2, 0, 1) - np.float32(110)) / np.float32(60)
    channels[3] = np.log(guess_m / 10)
    channels[4] = answered
    channels[5] = np.clip(np.log(np.maximum(sigma_m / guess_m, np.float32(1e-6))) / 2, -4, 2) + 1
    channels[6] = np.log1p(causes.reach_px) / 3
    channels[7] = np.minimum(causes.spread * guess_m, 2)
    channels[8] = _row_slope(given)[:, None]
    confidence = confidence_of(given)
    for at, source in enumerate(SOURCES, start=9):
        channels[at] = np.where(known & (given.source == source), confidence, 0)
    for at, keys in enumerate(causes.keys, start=ALTERNATIVES.start):
        depth_m, distance_px = _at(keys, given.depth_m, transposed=at >= ALTERNATIVES.start + 2)
        channels[at] = np.log(np.where(depth_m > 0, depth_m / guess_m, 1))
        channels[at + SIDES] = np.log1p(distance_px) / 3 - 1
    return Features(channels, guess_m, sigma_m, (~answered).astype(np.float32), known.astype(np.float32))


def _at(keys: NDArray[np.int64], depth_m: Float32, *, transposed: bool) -> tuple[Float32, Float32]:
    """Depth (H,W) of the pixels that keys name, 0 where they name none, and their distance in px."""
    first, second = (keys >> 16) & 0xFFFF, keys & 0xFFFF
    there = keys < NOWHERE
    row, col = (second, first) if transposed else (first, second)
    named = depth_m[np.where(there, row, 0), np.where(there, col, 0)]
    distance_px = np.where(there, (keys >> 32) / FIFTHS_PER_PX, NO_DISTANCE_PX)
    return np.where(there, named, np.float32(0)), distance_px.astype(np.float32)


def confidence_of(given: Given) -> Float32:
    """(H,W) probability that a measured pixel is right, as far as the store says."""
    layer = given.layers.get("confidence")
    if layer is None:
        return np.full(given.depth_m.shape, UNSAID_CONFIDENCE, np.float32)
    return np.asarray(layer, np.float32) / np.float32(255)


def _row_slope(given: Given) -> Float32:
    """(H,) tangent of each row's angle below the optical axis; without K that of a usual lens."""
    height_px, width_px = given.depth_m.shape
    focal_px, centre_px = (0.8 * width_px, height_px / 2) if given.K is None else (given.K[1, 1], given.K[1, 2])
    return np.asarray((np.arange(height_px) - centre_px) / focal_px, np.float32)
