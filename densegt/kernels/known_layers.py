"""A store's layers without what is not to be known."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Float32 = NDArray[np.float32]
UInt8 = NDArray[np.uint8]


@njit(cache=True, nogil=True)
def known_layers(
    depth_m: Float32,
    source: UInt8,
    confidence: UInt8,
    excluded: int,
    out_m: Float32,
    out_source: UInt8,
    out_confidence: Float32,
) -> None:
    """Write depth, source and probability (N,) where there is depth of another source than `excluded`, else 0.

    Args:
        depth_m, source: (N,); confidence: (N,) probability x 255.
    """
    for i in range(len(depth_m)):
        known = (depth_m[i] > 0) & (source[i] != excluded)
        out_m[i] = depth_m[i] if known else np.float32(0)
        out_source[i] = source[i] if known else np.uint8(0)
        out_confidence[i] = np.float32(confidence[i]) / np.float32(255) if known else np.float32(0)
