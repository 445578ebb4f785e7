"""Layers of an image at the places of another one's pixels."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Float32 = NDArray[np.float32]
UInt8 = NDArray[np.uint8]


@njit(cache=True, nogil=True)
def nearest_layers(
    A: NDArray[np.float64],
    depth_m: Float32,
    source: UInt8,
    confidence: Float32,
    out_m: Float32,
    out_source: UInt8,
    out_confidence: Float32,
) -> None:
    """Write to each pixel (h,w) what the image (H,W) has in the pixel in which its centre lies; outside of it 0.

    Args:
        A: (3,3), affine, from the written pixels (column, row, 1) to the image's.
    """
    height_px, width_px = depth_m.shape
    for row in range(out_m.shape[0]):
        for col in range(out_m.shape[1]):
            u = np.floor(A[0, 0] * col + A[0, 1] * row + A[0, 2] + 0.5)
            v = np.floor(A[1, 0] * col + A[1, 1] * row + A[1, 2] + 0.5)
            if (u >= 0) & (u < width_px) & (v >= 0) & (v < height_px):
                i, j = np.int64(v), np.int64(u)
                out_m[row, col] = depth_m[i, j]
                out_source[row, col] = source[i, j]
                out_confidence[row, col] = confidence[i, j]
            else:
                out_m[row, col] = 0
                out_source[row, col] = 0
                out_confidence[row, col] = 0
