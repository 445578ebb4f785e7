"""A small street whose image and depth agree: ground, a wall, two boxes, sky; and ways to thin its depth."""

from __future__ import annotations

import numpy as np

from densegt.completion.method import SparseDepth

HEIGHT_PX, WIDTH_PX, FOCAL_PX = 90, 160, 120.0
HORIZON = 40


def street(seed=0):
    """(image (H,W,3) with noise, depth (H,W) m with 0 for sky)."""
    v, u = np.mgrid[:HEIGHT_PX, :WIDTH_PX]
    depth = np.where(v > HORIZON, 1.5 * FOCAL_PX / np.maximum(v - HORIZON, 1), 0.0)
    image = np.where((v > HORIZON)[..., None], [90, 92, 88], [140, 180, 240])
    wall = (u > 100) & (v > 8)
    wall_m = 1 / (0.04 + 0.0006 * (u - 100))
    behind = wall & ((depth == 0) | (wall_m < depth))
    depth[behind], image[behind] = wall_m[behind], [150, 110, 80]
    for left, top, right, bottom, z, colour in (
        (20, 38, 50, 63, 8.0, (30, 40, 160)),
        (70, 34, 84, 52, 16.0, (200, 30, 30)),
    ):
        depth[top:bottom, left:right], image[top:bottom, left:right] = z, colour
    noise = np.random.default_rng(seed).normal(0, 3, image.shape)
    return np.clip(image + noise, 0, 255).astype(np.uint8), depth.astype(np.float32)


def scan_lines(depth, every_row=7, every_col=2):
    """What a lidar would measure: some pixels of some rows."""
    kept = np.zeros(depth.shape, bool)
    kept[every_row // 2 :: every_row, ::every_col] = True
    return np.where(kept, depth, 0).astype(np.float32)


def given(image, depth):
    """With every measurement from the own sweep."""
    with np.errstate(invalid="ignore"):
        source = np.where(np.isfinite(depth) & (depth > 0), 1, 0)
    return SparseDepth(image, np.asarray(depth, np.float32), source.astype(np.uint8))
