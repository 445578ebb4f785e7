"""Slow twins of densegt.kernels.range_images."""

from __future__ import annotations

import numpy as np


def fill_range_image(row, column, range_m, out):
    """Sort by range and write the farthest first."""
    for i in np.argsort(-range_m, kind="stable"):
        out[row[i], column[i]] = range_m[i]
