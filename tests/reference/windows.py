"""Slow twins of densegt.kernels.windows."""

from __future__ import annotations

import numpy as np


def _eight(image):
    """The beams (R-1,C,2,4) of rings r and r+1, columns c to c+3 around the scan start."""
    columns = np.stack([np.roll(image, -k, axis=1) for k in range(4)], axis=2)
    return np.stack([columns[:-1], columns[1:]], axis=2)


def nearest_around(image, out):
    nearest = np.where(_eight(image) > 0, _eight(image), np.inf).min(axis=3)
    out[:] = np.where(np.isfinite(nearest).all(axis=2), nearest.min(axis=2), 0)


def answers_around(image, farthest, empty):
    farthest[:] = _eight(image).max(axis=(2, 3), initial=0)
    empty[:] = (_eight(image) == 0).sum(axis=(2, 3))
