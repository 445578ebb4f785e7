"""What surfels are drawn on: for each strip of a row all that is known of its pixels, side by side."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

# So many pixels of a row are reckoned at once; loops of a fixed length are what a compiler turns into vectors.
LANES = 16
# First column of each sheet. NEAREST turns into FARTHEST once all is drawn.
BEFORE, NEAREST, WEIGHTED_DEPTH, WEIGHT, BEST_WEIGHT, BEST = (LANES * sheet for sheet in range(6))
FARTHEST = NEAREST
COLUMNS = 6 * LANES


def clear_layer_buffer(height_px: int, width_px: int) -> NDArray[np.float32]:
    """Nothing drawn yet, (H,B,6*16) float32: any surfel before infinity (1/m) will do."""
    canvas = np.zeros((height_px, -(-width_px // LANES), COLUMNS), dtype=np.float32)
    canvas[:, :, BEFORE:NEAREST] = np.inf
    return canvas


@njit(cache=True, nogil=True, error_model="numpy")
def widen_front(canvas: NDArray[np.float32], relative: float, absolute_m: float, farthest: NDArray[np.float32]) -> None:
    """Turn NEAREST (1/m) into FARTHEST, behind it by `absolute_m + relative z`; write each strip's greatest (H,B)."""
    height_px, strips, _ = canvas.shape
    for row in range(height_px):
        for strip in range(strips):
            here, most = canvas[row, strip], np.float32(0)
            for k in range(LANES):
                w = here[NEAREST + k]
                # 1 / (z (1 + relative) + absolute), which is 0 where nothing was drawn.
                here[FARTHEST + k] = w / (np.float32(1 + relative) + np.float32(absolute_m) * w)
                most = max(most, here[FARTHEST + k])
            farthest[row, strip] = most


@njit(cache=True, nogil=True, error_model="numpy")
def read_layer_buffer(
    canvas: NDArray[np.float32],
    rows: NDArray[np.int32],
    depth_m: NDArray[np.float32],
    weight: NDArray[np.float32],
    best: NDArray[np.int32],
) -> None:
    """Write mean depth, infinity where there is none, weight, and which surfel is best, -1 for none; (H,W).

    Args:
        rows: (M,), as what each row of the planes is known.
    """
    height_px, width_px = depth_m.shape
    for row in range(height_px):
        for col in range(width_px):
            here, k = canvas[row, col // LANES], col % LANES
            w = here[WEIGHT + k]
            weight[row, col] = w
            depth_m[row, col] = here[WEIGHTED_DEPTH + k] / w if w > 0 else np.inf
            best[row, col] = rows[np.float32(here[BEST + k]).view(np.int32)] if w > 0 else -1


@njit(cache=True, nogil=True, error_model="numpy")
def next_layer(canvas: NDArray[np.float32], depth_m: NDArray[np.float32], relative: float, absolute_m: float) -> None:
    """Wipe the canvas for what lies behind `depth_m` (H,W) by more than `absolute_m + relative z`."""
    canvas[:] = 0
    height_px, width_px = depth_m.shape
    for row in range(height_px):
        for col in range(width_px):
            beyond_m = depth_m[row, col] * np.float32(1 + relative) + np.float32(absolute_m)
            canvas[row, col // LANES, BEFORE + col % LANES] = 1 / beyond_m
