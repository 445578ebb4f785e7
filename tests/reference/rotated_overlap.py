"""Slow twins of densegt.kernels.rotated_overlap."""

from __future__ import annotations

import numpy as np
from scipy.spatial import ConvexHull, QhullError


def _halfplanes(x, y, length, width, yaw):
    """Rows (nx, ny, d) with n.p + d <= 0 inside."""
    rows = []
    for turn, half in ((0, length / 2), (np.pi / 2, width / 2), (np.pi, length / 2), (-np.pi / 2, width / 2)):
        n = np.array([np.cos(yaw + turn), np.sin(yaw + turn)])
        rows.append([*n, -(n @ [x, y]) - half])
    return np.array(rows)


def overlap_m2(a, b, polygon, clipped):
    """The hull of those crossings of any two of the eight sides that lie in both."""
    if not np.isfinite([*a, *b]).all():
        return 0.0
    sides = np.concatenate([_halfplanes(*a), _halfplanes(*b)])
    corners = []
    for i in range(8):
        for j in range(i):
            if abs(np.linalg.det(sides[[i, j], :2])) > 1e-9:
                p = np.linalg.solve(sides[[i, j], :2], -sides[[i, j], 2])
                if (sides[:, :2] @ p + sides[:, 2] <= 1e-9).all():
                    corners.append(p)
    try:
        return ConvexHull(corners).volume if len(corners) > 2 else 0.0
    except QhullError:  # no thicker than a line
        return 0.0


def rotated_overlap(a, b, out):
    for i, j in np.ndindex(out.shape):
        out[i, j] = overlap_m2(a[i], b[j], None, None)
