"""Ways to know less of an image's depth: what a network learns from must be as varied as what it meets."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from densegt.completion.method import SparseDepth, measured

# Where a lidar is mounted, above and behind the camera, and what its beams span downwards, from the horizontal.
ABOVE_M = (0.2, 0.6)
BEHIND_M = (0.2, 1.0)
TOP_RAD, BOTTOM_RAD = np.deg2rad(-10.0), np.deg2rad(30.0)
# The beams of a store of single sweeps are this far apart, or less.
BEAM_RAD = np.deg2rad(1.3)
SPARSE = 0.05


def keep(given: SparseDepth, kept: NDArray[np.bool_]) -> SparseDepth:
    """The input with the depth of those pixels (H,W) only."""
    depth_m = np.where(kept, given.depth_m, np.float32(0))
    return replace(given, depth_m=depth_m, source=np.where(kept, given.source, np.uint8(0)))


def scattered(given: SparseDepth, share: float, rng: np.random.Generator) -> SparseDepth:
    """Each measured pixel stays with this probability."""
    return keep(given, rng.random(given.depth_m.shape, np.float32) < share)


def holed(given: SparseDepth, holes: int, rng: np.random.Generator) -> SparseDepth:
    """Without the depth in rectangles of up to half of each side."""
    height_px, width_px = given.depth_m.shape
    kept = np.ones((height_px, width_px), np.bool_)
    for _ in range(holes):
        high, wide = (int(rng.integers(1, max(2, side // 2))) for side in (height_px, width_px))
        top, left = int(rng.integers(0, height_px)), int(rng.integers(0, width_px))
        kept[max(0, top - high // 2) : top + high // 2, max(0, left - wide // 2) : left + wide // 2] = False
    return keep(given, kept)


def lowered(given: SparseDepth, rng: np.random.Generator) -> SparseDepth:
    """Without what lies above a random elevation: near bodies end above the highest beam of many a lidar."""
    known = measured(given.depth_m)
    if not known.any():
        return given
    downward_rad, _ = _downward(given, rng.uniform(*ABOVE_M), rng.uniform(*BEHIND_M))
    lowest, highest = np.quantile(downward_rad[known], (0.8, 0.02))
    return keep(given, known & (downward_rad > rng.uniform(highest, lowest)))


def scanned(given: SparseDepth, beams: int, rng: np.random.Generator) -> SparseDepth:
    """What a lidar with so many beams would have measured of it, were it mounted a bit above and behind the camera.

    Of dense depth the pixels that a beam crosses, with random gaps along it; of a sweep those of the beams nearest.
    """
    known = measured(given.depth_m)
    downward_rad, pixel_rad = _downward(given, rng.uniform(*ABOVE_M), rng.uniform(*BEHIND_M))
    sparse = known.mean() < SPARSE
    spacing = (BOTTOM_RAD - TOP_RAD) / (beams + 1)
    first = TOP_RAD + spacing * rng.uniform(0.5, 1.5)
    beam = np.rint((downward_rad - first) / spacing)
    half_rad = min(BEAM_RAD, spacing) / 2 if sparse else pixel_rad / 2
    kept = known & (beam >= 0) & (beam < beams) & (np.abs(downward_rad - first - beam * spacing) < half_rad)
    if not sparse:
        kept &= rng.random(kept.shape, np.float32) < rng.uniform(0.2, 0.6)
    return keep(given, kept)


def _downward(given: SparseDepth, above_m: float, behind_m: float) -> tuple[NDArray[np.float32], float]:
    """(H,W) angle below the horizontal at which a lidar above and behind the camera sees each pixel; rad of a pixel."""
    height_px, width_px = given.depth_m.shape
    focal = 0.8 * width_px
    K = np.array([[focal, 0, width_px / 2], [0, focal, height_px / 2], [0, 0, 1]]) if given.K is None else given.K
    depth_m = np.where(measured(given.depth_m), given.depth_m, np.float32(1))
    x = depth_m * ((np.arange(width_px) - K[0, 2]) / K[0, 0]).astype(np.float32)
    y = depth_m * ((np.arange(height_px) - K[1, 2]) / K[1, 1]).astype(np.float32)[:, None]
    return np.arctan2(y + above_m, np.hypot(x, depth_m + behind_m)).astype(np.float32), float(1 / K[1, 1])
