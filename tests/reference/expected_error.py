"""Slow twins of densegt.kernels.expected_error."""

from __future__ import annotations

import numpy as np


def expected_error(filled, departure, spread, farthest, reach_px, source, weights, out):
    for where, w in np.ndenumerate(filled):
        if not w > 0:
            out[where] = 0
            continue
        z = 1 / float(w)
        causes = [
            z,
            z * min(float(reach_px[where]), 100),
            z - 1 / max(float(w) + 2 * float(departure[where]), float(w) / 3),
            1 / max(float(w) - float(spread[where]), float(w) / 3) - z,
            min(max(1 / float(farthest[where]), z), 3 * z) - z if farthest[where] > 0 else 0,
        ]
        mine = weights[source[where] if reach_px[where] == 0 else -1]
        out[where] = np.sqrt(sum((k * cause) ** 2 for k, cause in zip(mine, causes, strict=True)))
