"""Small streets that differ, with image and depth that agree, as examples to learn from."""

from __future__ import annotations

import numpy as np

from densegt.completion.examples import Example
from densegt.completion.method import SparseDepth

HEIGHT_PX, WIDTH_PX, FOCAL_PX, CAMERA_M = 96, 128, 100.0, 1.5
K = np.array([[FOCAL_PX, 0, 63.5], [0, FOCAL_PX, 40.0], [0, 0, 1]])


def another_street(seed):
    """(image, exact depth): ground, sky and boxes that stand on the ground, each of its own colour."""
    rng = np.random.default_rng(seed)
    v, u = np.mgrid[:HEIGHT_PX, :WIDTH_PX]
    depth = np.where(v > K[1, 2], CAMERA_M * FOCAL_PX / np.maximum(v - K[1, 2], 1e-3), 0)
    depth[depth > 100] = 0
    image = np.where((depth > 0)[..., None], [90, 92, 88], [150, 190, 245]).astype(float)
    for z in sorted(rng.uniform(5, 40, 6), reverse=True):
        foot = int(K[1, 2] + CAMERA_M * FOCAL_PX / z)
        top, left = foot - int(rng.uniform(1, 4) * FOCAL_PX / z), int(rng.integers(-10, WIDTH_PX - 5))
        right = left + int(rng.uniform(1, 4) * FOCAL_PX / z)
        box = (v >= top) & (v <= foot) & (u >= left) & (u < right)
        depth[box], image[box] = z, rng.uniform(20, 220, 3)
    image += rng.normal(0, 3, image.shape)
    return np.clip(image, 0, 255).astype(np.uint8), depth.astype(np.float32)


def whole(seed):
    """An example that is given all that is meant."""
    image, depth = another_street(seed)
    given = SparseDepth(image, depth, (depth > 0).astype(np.uint8), K)
    return Example((given,), depth, np.ones_like(depth), exact=True)
