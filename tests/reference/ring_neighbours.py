"""Slow twins of densegt.kernels.ring_neighbours."""

from __future__ import annotations

from itertools import pairwise

import numpy as np


def ring_neighbours(ring_start, azimuth, max_step_rad, out):
    """For each point look at every point of the ring and of the rings above and below."""
    out[:] = -1
    rings = [np.arange(a, b) for a, b in pairwise(ring_start)]
    turn = np.float32(2 * np.pi)
    for r, members in enumerate(rings):
        for i in members:
            ahead = (azimuth[members] - azimuth[i]) % turn
            behind = (azimuth[i] - azimuth[members]) % turn
            for side, angle in ((0, ahead), (1, behind)):
                allowed = (angle > 0) & (angle <= max_step_rad)
                if allowed.any():
                    out[i, side] = members[allowed][np.argmin(angle[allowed])]
            for side, other in ((2, r + 1), (3, r - 1)):
                if 0 <= other < len(rings) and len(rings[other]):
                    there = rings[other]
                    ahead, behind = (azimuth[there] - azimuth[i]) % turn, (azimuth[i] - azimuth[there]) % turn
                    angle = np.minimum(ahead, behind)
                    if angle.min() <= max_step_rad:
                        out[i, side] = there[np.argmin(angle)]
