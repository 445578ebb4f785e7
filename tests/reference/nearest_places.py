"""Slow twins of densegt.kernels.nearest_places."""

from __future__ import annotations

import numpy as np


def nearest_places(A, height_px, width_px, out):
    for row, col in np.ndindex(out.shape):
        u, v, _ = (int(np.floor(place + 0.5)) for place in A @ [col, row, 1])
        out[row, col] = v * width_px + u if 0 <= u < width_px and 0 <= v < height_px else -1
