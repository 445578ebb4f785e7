"""Slow twins of densegt.kernels.compose."""

from __future__ import annotations

import numpy as np


def compose_layers(surface_m, best, shown, shown_m, hidden, depth_m, row_of, measured):
    for at in np.ndindex(shown.shape):
        depth_m[at], row_of[at], measured[at] = 0, -1, False
        if hidden[at]:
            continue
        if shown[at] >= 0:
            depth_m[at], row_of[at], measured[at] = shown_m[at], shown[at], True
        elif best[at] >= 0:
            depth_m[at], row_of[at] = surface_m[at], best[at]
