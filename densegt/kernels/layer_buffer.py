"""The buffer that surfels are splatted into: for each strip of 16 pixels of a row six channels, side by side."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

# Pixels of a strip; loops of a fixed length are what the compiler vectorises.
LANES = 16
# First column of each channel: the least and greatest inverse depth (1/m) that count, sums, and the best surfel.
# NEAREST turns into FARTHEST in `widen_front`.
BEFORE, NEAREST, WEIGHTED_DEPTH, WEIGHT, BEST_WEIGHT, BEST = (LANES * channel for channel in range(6))
FARTHEST = NEAREST
COLUMNS = 6 * LANES


class SurfaceLayer(NamedTuple):
    """A layer of surfels in an image.

    Attributes:
        depth_m: (H,W) float32, weighted mean, infinity = none.
        weight: (H,W) float32 1/m^2, sum of the surfels' weights.
        best: (H,W) int32, surfel of the greatest weight, -1 = none.
    """

    depth_m: NDArray[np.float32]
    weight: NDArray[np.float32]
    best: NDArray[np.int32]


def clear_layer_buffer(height_px: int, width_px: int) -> NDArray[np.float32]:
    """An empty layer buffer (H,B,6*16) float32, open to surfels of any depth."""
    buffer = np.zeros((height_px, -(-width_px // LANES), COLUMNS), dtype=np.float32)
    buffer[:, :, BEFORE:NEAREST] = np.inf
    return buffer


@njit(cache=True, nogil=True, error_model="numpy")
def widen_front(buffer: NDArray[np.float32], relative: float, absolute_m: float, farthest: NDArray[np.float32]) -> None:
    """Turn NEAREST (1/m) into FARTHEST, `absolute_m + relative z` behind it; `farthest` (H,B) is its maximum."""
    height_px, strips, _ = buffer.shape
    for row in range(height_px):
        for strip in range(strips):
            here, most = buffer[row, strip], np.float32(0)
            for k in range(LANES):
                w = here[NEAREST + k]
                # 1 / (z (1 + relative) + absolute), 0 where there is no surfel.
                here[FARTHEST + k] = w / (np.float32(1 + relative) + np.float32(absolute_m) * w)
                most = max(most, here[FARTHEST + k])
            farthest[row, strip] = most


@njit(cache=True, nogil=True, error_model="numpy")
def read_layer_buffer(buffer: NDArray[np.float32], rows: NDArray[np.int32], out: SurfaceLayer) -> None:
    """Write mean depth, weight and best surfel.

    Args:
        rows: (M,), surfel of each row of the projected planes.
    """
    depth_m, weight, best = out
    height_px, width_px = depth_m.shape
    for row in range(height_px):
        for col in range(width_px):
            here, k = buffer[row, col // LANES], col % LANES
            w = here[WEIGHT + k]
            weight[row, col] = w
            depth_m[row, col] = here[WEIGHTED_DEPTH + k] / w if w > 0 else np.inf
            best[row, col] = rows[np.float32(here[BEST + k]).view(np.int32)] if w > 0 else -1


@njit(cache=True, nogil=True, error_model="numpy")
def next_layer(buffer: NDArray[np.float32], depth_m: NDArray[np.float32], relative: float, absolute_m: float) -> None:
    """Clear the buffer, open to surfels behind `depth_m` (H,W) by more than `absolute_m + relative z`."""
    buffer[:] = 0
    height_px, width_px = depth_m.shape
    for row in range(height_px):
        for col in range(width_px):
            beyond_m = depth_m[row, col] * np.float32(1 + relative) + np.float32(absolute_m)
            buffer[row, col // LANES, BEFORE + col % LANES] = 1 / beyond_m


@njit(cache=True, nogil=True)
def front_layer(
    first: SurfaceLayer, second: SurfaceLayer, moving: NDArray[np.bool_], weak_share: float, out: SurfaceLayer
) -> None:
    """Write the first layer, or the second where the first has less than `weak_share` of its weight and stands still.

    Args:
        moving: (N,) of each surfel.
        out: (H,W), written everywhere.
    """
    height_px, width_px = out.depth_m.shape
    share = np.float32(weak_share)
    for row in range(height_px):
        for col in range(width_px):
            weak = first.weight[row, col] < share * second.weight[row, col]
            if weak and first.best[row, col] >= 0:
                weak = not moving[first.best[row, col]]
            layer = second if weak else first
            out.depth_m[row, col], out.weight[row, col] = layer.depth_m[row, col], layer.weight[row, col]
            out.best[row, col] = layer.best[row, col]


@njit(cache=True, nogil=True)
def weight_per_angle(
    layer: SurfaceLayer, moving: NDArray[np.bool_], out: NDArray[np.float32], static: NDArray[np.float32]
) -> None:
    """Write a layer's weight times z^2, in surfels per solid angle, and the same of pixels that do not move, else 0.

    Args:
        moving: (N,) of each surfel.
        out, static: (H,W), written everywhere.
    """
    height_px, width_px = out.shape
    for row in range(height_px):
        for col in range(width_px):
            best, z = layer.best[row, col], layer.depth_m[row, col]
            weight = layer.weight[row, col] * (z * z) if best >= 0 else np.float32(0)
            out[row, col] = weight
            static[row, col] = weight if best < 0 or not moving[best] else np.float32(0)
