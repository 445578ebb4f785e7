"""Depth as pictures: pure functions from arrays to (H,W,3) uint8 RGB."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from densegt.depth.depth_map import Source
from densegt.depth.matching import best_match, known

Picture = NDArray[np.uint8]
Float32 = NDArray[np.float32]

# Depths outside take the colour of the nearer end.
NEAREST_M, FARTHEST_M = 2.0, 80.0
# Uncertainties likewise.
SUREST_M, LEAST_SURE_M = 0.05, 20.0

NOTHING = (24, 27, 33)
NOT_PREDICTED = (58, 63, 72)
FALSE_POSITIVE = (214, 70, 214)
RIGHT = (196, 222, 196)
# From just beyond the tolerance to SATURATED tolerances.
TOO_FAR = ((250, 190, 110), (200, 20, 20))
TOO_NEAR = ((130, 200, 250), (20, 50, 200))
SATURATED = 10.0

SOURCE_COLOURS = {
    Source.NONE: NOTHING,
    Source.OWN_SWEEP: (255, 214, 64),
    Source.STATIC: (70, 145, 235),
    Source.MOVER: (240, 80, 70),
    Source.SURFACE: (80, 180, 110),
    Source.COMPLETED: (170, 120, 220),
    Source.SHAPE: (245, 150, 60),
}


def colour_depth(depth_m: Float32) -> Picture:
    """Depth (H,W) as turbo over its logarithm, near is red and far is blue; unknown is dark."""
    import cv2

    has = known(depth_m)
    depth = np.clip(np.where(has, depth_m, FARTHEST_M), NEAREST_M, FARTHEST_M)
    nearness = 1 - np.log(depth / NEAREST_M) / np.log(FARTHEST_M / NEAREST_M)
    colours = cv2.applyColorMap(np.rint(nearness * 255).astype(np.uint8), cv2.COLORMAP_TURBO)[..., ::-1]
    return np.where(has[..., None], colours, np.array(NOTHING, dtype=np.uint8))


def no_image(height_px: int, width_px: int) -> Picture:
    """In place of an image that the recording lacks: dark, and it says so."""
    import cv2

    picture = np.full((height_px, width_px, 3), NOTHING, dtype=np.uint8)
    at = (width_px // 20, max(12, height_px // 15))
    cv2.putText(
        picture, "no image in this recording", at, cv2.FONT_HERSHEY_SIMPLEX, 0.4, (150, 155, 165), 1, cv2.LINE_AA
    )
    return picture


def overlay(image: Picture, depth_m: Float32) -> Picture:
    """Depth (H,W) in colour over its image (H,W,3); where it is unknown the image stays, grey and dimmed."""
    grey = image.astype(np.float32).mean(axis=-1, keepdims=True)
    covered = 0.75 * colour_depth(depth_m) + 0.25 * grey
    picture: Picture = np.rint(np.where(known(depth_m)[..., None], covered, 0.45 * grey)).astype(np.uint8)
    return picture


def uncertainty_picture(uncertainty_m: NDArray[np.floating[Any]]) -> Picture:
    """One standard deviation (H,W) m as inferno over its logarithm, SUREST_M and less is dark; 0 is no depth."""
    import cv2

    has = uncertainty_m > 0
    size = np.clip(np.where(has, uncertainty_m, SUREST_M).astype(np.float32), SUREST_M, LEAST_SURE_M)
    share = np.log(size / SUREST_M) / np.log(LEAST_SURE_M / SUREST_M)
    colours = cv2.applyColorMap(np.rint(share * 255).astype(np.uint8), cv2.COLORMAP_INFERNO)[..., ::-1]
    return np.where(has[..., None], colours, np.array(NOTHING, dtype=np.uint8))


def source_picture(source: NDArray[np.uint8]) -> Picture:
    """Codes of `Source` (H,W) in SOURCE_COLOURS; unheard-of codes are white."""
    colours = np.full((256, 3), 255, dtype=np.uint8)
    for code, colour in SOURCE_COLOURS.items():
        colours[code] = colour
    picture: Picture = colours[source]
    return picture


def error_picture(depth_m: Float32, truth_m: Float32) -> Picture:
    """Where depth (H,W) is right, too far, too near, missing, or stands in the sky; judged by the best of 3x3."""
    has = known(depth_m)
    picture = np.empty((*depth_m.shape, 3), dtype=np.uint8)
    picture[:] = NOTHING
    picture[~has & known(truth_m)] = NOT_PREDICTED
    match = best_match(depth_m, truth_m, has)
    colours = np.empty((len(match), 3), dtype=np.float32)
    colours[:] = RIGHT
    colours[match > 1] = _between(TOO_FAR, match[match > 1])
    colours[match < -1] = _between(TOO_NEAR, -match[match < -1])
    colours[np.isinf(match)] = FALSE_POSITIVE
    picture[has] = np.rint(colours).astype(np.uint8)
    return picture


def nearest_in_blocks(depth_m: Float32, factor: int) -> NDArray[np.intp]:
    """For each factor x factor block, which of its pixels holds the nearest known depth: (H//f, W//f), 0 ... f*f-1.

    Making a sparse map smaller by averaging would fade it, by skipping would lose points; this keeps a point in
    every block that has one.
    """
    blocks = _blocks(np.where(known(depth_m), depth_m, np.inf), factor)
    pick: NDArray[np.intp] = np.argmin(blocks, axis=2)
    return pick


def shrink(layer: NDArray[np.generic], pick: NDArray[np.intp], factor: int) -> NDArray[np.generic]:
    """Make a layer (H,W) or picture (H,W,C) smaller by taking the pixel that `nearest_in_blocks` picked."""
    blocks = _blocks(layer, factor)
    index = pick[..., None] if layer.ndim == 2 else pick[..., None, None]
    return np.take_along_axis(blocks, index, axis=2)[:, :, 0]


def _blocks(layer: NDArray[np.generic], factor: int) -> NDArray[np.generic]:
    """(H,W,...) to (H//f, W//f, f*f, ...); what does not fill a block falls away."""
    height, width = layer.shape[0] // factor, layer.shape[1] // factor
    rest = layer.shape[2:]
    whole = layer[: height * factor, : width * factor].reshape(height, factor, width, factor, *rest)
    return whole.swapaxes(1, 2).reshape(height, width, factor * factor, *rest)


def _between(ends: tuple[tuple[int, int, int], tuple[int, int, int]], size: Float32) -> Float32:
    """Colours (N,3) for errors of 1 ... SATURATED tolerances."""
    share = np.clip(np.log(np.minimum(size, SATURATED)) / np.log(SATURATED), 0, 1)[:, None]
    first, last = np.array(ends, dtype=np.float32)
    mixed: Float32 = (1 - share) * first + share * last
    return mixed
