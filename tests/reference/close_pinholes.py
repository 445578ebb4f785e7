"""Slow twins of densegt.kernels.close_pinholes."""

from __future__ import annotations

import cv2
import numpy as np


def close_pinholes(max_area, tolerance, surface, out):
    """Each hole by itself: its rim, with every pixel as often as it touches the hole, and a least-squares plane."""
    H, W = out.depth_m.shape
    before = out.depth_m.copy()
    unknown = (~(before > 0)).astype(np.uint8)
    _, label, stats, _ = cv2.connectedComponentsWithStats(unknown, connectivity=4)
    area = stats[:, cv2.CC_STAT_AREA]
    for k in range(1, len(area)):
        hole = [(int(r), int(c)) for r, c in np.argwhere(label == k)]
        rim = [
            (r + dr, c + dc)
            for r, c in hole
            for dr in (-1, 0, 1)
            for dc in (-1, 0, 1)
            if 0 <= r + dr < H and 0 <= c + dc < W and before[r + dr, c + dc] > 0
        ]
        if not hole or area[k] > max_area or len(rim) < 3:
            continue
        at = np.array(rim, float)
        w = np.array([1 / float(before[p]) for p in rim])
        columns = np.column_stack([np.ones(len(at)), at - at.mean(0)])
        if np.linalg.det(columns[:, 1:].T @ columns[:, 1:] / len(at)) <= 1e-3:
            columns = columns[:, :1]
        plane = np.linalg.lstsq(columns, w, rcond=None)[0]
        if (np.abs(columns @ plane - w) > tolerance * w).any():
            continue
        for r, c in hole:
            inverse = float(np.r_[1, np.array([r, c]) - at.mean(0)][: len(plane)] @ plane)
            if inverse > 0:
                out.depth_m[r, c], out.source[r, c] = 1 / inverse, surface
                out.confidence[r, c] = min(out.confidence[p] for p in rim)
                out.age_s[r, c] = out.age_s[rim[-1]]
