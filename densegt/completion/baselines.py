"""What anything that has learned must beat: the nearest measurement, and one plane through all of them."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from densegt.completion.method import measured

Float32 = NDArray[np.float32]
MAX_M, MIN_M = 200.0, 0.5


def nearest(depth_m: Float32) -> Float32:
    """Each pixel (H,W) takes the depth of the nearest measured one in the image; 0 where none is."""
    known = measured(depth_m)
    if not known.any():
        return np.zeros_like(depth_m)
    _, label = cv2.distanceTransformWithLabels(
        (~known).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    depth_of = np.zeros(int(label.max()) + 1, np.float32)
    depth_of[label[known]] = depth_m[known]
    out: Float32 = np.where(known, depth_m, depth_of[label])
    return out


def plane(depth_m: Float32) -> Float32:
    """Least squares in inverse depth, which is linear on a plane; 0 where nothing is measured."""
    rows, cols = np.nonzero(measured(depth_m))
    if not len(rows):
        return np.zeros_like(depth_m)
    there = np.stack([np.ones(len(rows)), rows, cols], axis=1)
    bias, down, right = np.linalg.lstsq(there, 1 / depth_m[rows, cols].astype(np.float64), rcond=None)[0]
    row, col = np.ogrid[: depth_m.shape[0], : depth_m.shape[1]]
    inverse = np.clip(bias + down * row + right * col, 1 / MAX_M, 1 / MIN_M)
    out: Float32 = (1 / inverse).astype(np.float32)
    return out
