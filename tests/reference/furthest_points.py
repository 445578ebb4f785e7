"""Slow twins of densegt.kernels.furthest_points."""

from __future__ import annotations

import numpy as np


def furthest_points(xyz, out):
    chosen = [0]
    while len(chosen) < len(out):
        chosen.append(int(np.argmax([min(((p - xyz[c]) ** 2).sum() for c in chosen) for p in xyz])))
    out[:] = chosen[: len(out)]
