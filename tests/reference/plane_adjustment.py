"""Slow twins of densegt.kernels.plane_adjustment."""

from __future__ import annotations

import numpy as np


def plane_adjustment(xyz, arm, body, members, normal, scale_m, H, g):
    """One plane after the other with dense matrices; H (B,B,6,6) below its diagonal of blocks."""
    for rows, n in zip(members, normal, strict=True):
        rows = rows[rows >= 0]
        if not len(rows):
            continue
        J = np.zeros((len(rows), *g.shape))
        for k, i in enumerate(rows):
            J[k, body[i]] = [*n, *np.cross(arm[i], n)]
        J = J.reshape(len(rows), -1)
        r = xyz[rows] @ n
        w = 1 / (1 + ((r - r.mean()) / scale_m) ** 2) ** 2
        W = np.diag(w) - np.outer(w, w) / w.sum()
        g += (J.T @ (w * (r - (w @ r) / w.sum()))).reshape(g.shape)
        blocks = (J.T @ W @ J).reshape(*g.shape, *g.shape).transpose(0, 2, 1, 3)
        for b, c in np.ndindex(H.shape[:2]):
            H[b, c] += blocks[b, c] if c <= b else 0
