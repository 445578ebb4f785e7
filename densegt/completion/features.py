"""What the network sees of an image and its depth: channels in which any density, camera and range look alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from densegt.completion.classical import Classical
from densegt.completion.ground import ground
from densegt.completion.method import SparseDepth, measured
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
FIRST = 9 + len(SOURCES)
CHANNELS = FIRST + 3 * SIDES + 2
# The log change that would put each pixel at the depth of what is measured above, below, at its left, at its right, and
# of the ground.
ALTERNATIVES = slice(FIRST, FIRST + SIDES + 1)
COLOURS = slice(CHANNELS - SIDES, CHANNELS)
MAX_ALTERNATIVE = 3.0
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


def features_of(given: SparseDepth, classical: Classical) -> Features:
    """The classical completion of the input, where it comes from, and the image.

    Channels: red, green, blue; log depth of the guess, whether there is one, its log relative uncertainty, log
    distance to what it was carried from, its relative dispute; the row's slope in the camera; the confidence of
    measured pixels, a channel each source; how the nearest measurements on four sides differ from the guess in log
    depth, and the ground likewise; the log distances of the former, across edges of the image farther; whether the
    ground is below its horizon there; how far the colours of those measurements are from the pixel's own.
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
    others_m = []
    for side, keys in enumerate(causes.keys):
        named = _named(keys, transposed=side >= 2)
        others_m.append(np.where(named.there, given.depth_m[named.row, named.col], np.float32(0)))
        channels[ALTERNATIVES.stop + side] = np.log1p(named.distance_px) / 3 - 1
        channels[COLOURS.start + side] = np.where(named.there, _colour_apart(given.image, named), 0)
    others_m.append(ground(given.depth_m, given.K))
    for at, other_m in enumerate(others_m, start=ALTERNATIVES.start):
        change = np.log(np.where(other_m > 0, other_m / guess_m, np.float32(1)))
        channels[at] = np.clip(change, -MAX_ALTERNATIVE, MAX_ALTERNATIVE)
    channels[COLOURS.start - 1] = others_m[-1] > 0
    return Features(channels, guess_m, sigma_m, (~answered).astype(np.float32), known.astype(np.float32))


class _NamedChannels(NamedTuple):
    """(H,W) each: row and column of the pixels that keys name, 0 where they name none, and their distance."""

    there: NDArray[np.bool_]
    row: NDArray[np.int64]
    col: NDArray[np.int64]
    distance_px: Float32


def _named(keys: NDArray[np.int64], *, transposed: bool) -> _NamedChannels:
    there = keys < NOWHERE
    first, second = (np.where(there, part & 0xFFFF, 0) for part in (keys >> 16, keys))
    row, col = (second, first) if transposed else (first, second)
    distance_px = np.where(there, (keys >> 32) / FIFTHS_PER_PX, NO_DISTANCE_PX).astype(np.float32)
    return _NamedChannels(there, row, col, distance_px)


def _colour_apart(image: NDArray[np.uint8], at: _NamedChannels) -> Float32:
    """(H,W) the largest difference of a colour."""
    apart = np.maximum(image, image[at.row, at.col]) - np.minimum(image, image[at.row, at.col])
    return np.asarray(apart.max(axis=2) / np.float32(60), np.float32)


def confidence_of(given: SparseDepth) -> Float32:
    """(H,W) probability that a measured pixel is right, as far as the store says."""
    layer = given.layers.get("confidence")
    if layer is None:
        return np.full(given.depth_m.shape, UNSAID_CONFIDENCE, np.float32)
    return np.asarray(layer, np.float32) / np.float32(255)


def _row_slope(given: SparseDepth) -> Float32:
    """(H,) tangent of each row's angle below the optical axis; without K that of a usual lens."""
    height_px, width_px = given.depth_m.shape
    focal_px, centre_px = (0.8 * width_px, height_px / 2) if given.K is None else (given.K[1, 1], given.K[1, 2])
    return np.asarray((np.arange(height_px) - centre_px) / focal_px, np.float32)
