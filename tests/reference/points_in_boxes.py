"""Slow twins of densegt.kernels.points_in_boxes."""

from __future__ import annotations

import numpy as np


def points_in_boxes(xyz, boxes, out, counts):
    for p, (*centre, length, width, height, yaw) in enumerate(boxes):
        c, s = np.cos(yaw), np.sin(yaw)
        own = (xyz - centre) @ np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
        rows = np.flatnonzero((np.abs(own) <= np.array([length, width, height]) / 2).all(axis=1))[: out.shape[1]]
        counts[p] = len(rows)
        out[p] = np.resize(rows, out.shape[1]) if len(rows) else 0
