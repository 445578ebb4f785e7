"""Slow twins of densegt.kernels.range_images."""

from __future__ import annotations

import numpy as np


def fill_range_image(row, azimuth, range_m, out):
    """Sort by range and write the farthest first."""
    columns = out.shape[1]
    borders = np.linspace(-np.pi, np.pi, columns + 1)
    for i in np.argsort(-range_m, kind="stable"):
        column = (np.searchsorted(borders, float(azimuth[i]), side="right") - 1) % columns
        out[row[i], column] = range_m[i]
