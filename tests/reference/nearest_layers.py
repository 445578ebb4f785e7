"""Slow twins of densegt.kernels.nearest_layers."""

from __future__ import annotations

import numpy as np


def nearest_layers(A, depth_m, source, confidence, out_m, out_source, out_confidence):
    height_px, width_px = depth_m.shape
    for row, col in np.ndindex(out_m.shape):
        u, v, _ = (int(np.floor(place + 0.5)) for place in A @ [col, row, 1])
        inside = 0 <= u < width_px and 0 <= v < height_px
        for out, layer in ((out_m, depth_m), (out_source, source), (out_confidence, confidence)):
            out[row, col] = layer[v, u] if inside else 0
