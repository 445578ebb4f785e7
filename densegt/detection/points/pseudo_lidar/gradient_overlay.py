"""One picture a keyframe: its images, the depth they are given, and where the detector pulls that."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
Float32 = NDArray[np.float32]
NEARER, FARTHER, ON_OBJECT = (255, 90, 60), (70, 140, 255), (70, 200, 90)
# Pulls as strong as this share of all are full colour.
FULL = 0.995


def draw(images: Picture, slope: Float32, foreground: NDArray[np.bool_]) -> Picture:
    """(H,W,3) red green blue: each view, below it the pull: nearer is orange, farther blue, objects are outlined green.

    Args:
        images: (V,H,W,3) red green blue.
        slope, foreground: (V,h,w) of `Pull`.
    """
    strongest = float(np.quantile(np.abs(slope[slope != 0]), FULL)) if (slope != 0).any() else 1.0
    views = [
        np.vstack([image, _pulled(image, here / strongest, on)])
        for image, here, on in zip(images, slope, foreground, strict=True)
    ]
    columns = 3 if len(views) > 3 else len(views)
    views += [np.zeros_like(views[0])] * (-len(views) % columns)
    return np.vstack([np.hstack(views[i : i + columns]) for i in range(0, len(views), columns)])


def _pulled(image: Picture, pull: Float32, foreground: NDArray[np.bool_]) -> Picture:
    """The image in dim grey under the pull."""
    height, width = image.shape[:2]
    grey = np.repeat((0.35 * image.mean(-1, keepdims=True)).astype(np.float32), 3, -1)
    # Points are few: each is drawn as wide as its neighbours allow.
    wide = cv2.resize(np.asarray(pull, np.float32), (width, height), interpolation=cv2.INTER_NEAREST)
    strength = np.clip(np.abs(wide), 0, 1)[..., None] ** 0.5
    colour = np.where((wide > 0)[..., None], np.array(NEARER), np.array(FARTHER))
    picture = np.asarray((1 - strength) * grey + strength * colour, dtype=np.uint8)
    on = cv2.resize(foreground.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST)
    on = cv2.morphologyEx(on, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    outlines, _ = cv2.findContours(on, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(picture, outlines, -1, ON_OBJECT, 1)
    return picture
