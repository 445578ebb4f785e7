"""Slow twins of densegt.kernels.invert."""

from __future__ import annotations

import numpy as np


def invert(values, at_least, out):
    for where, value in np.ndenumerate(values):
        out[where] = 1 / value if np.isfinite(value) and value >= np.float32(at_least) else 0
