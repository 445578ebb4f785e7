"""Slow twins of densegt.kernels.subsample."""

from __future__ import annotations

import numpy as np


def subsample_surfels(xyz_cam, half_m, incidence, reach_px, camera, layers, count, share):
    """Gather each cell's surfels in a dictionary, add up the pixels they cover."""
    cells = {}
    for i, p in enumerate(xyz_cam[:count].astype(np.float64)):
        u, v = (camera.K @ (p / p[2]))[:2]
        cells.setdefault(_cell(u, v, p[2], camera), []).append(i)
    for rows in cells.values():
        covered = 0.0
        for i in rows:
            p = xyz_cam[i].astype(np.float64)
            area_m2 = half_m[i, :2].sum() * half_m[i, 2:].sum()
            covered += min(
                area_m2 * incidence[i] * np.linalg.norm(p) / p[2] ** 3 * camera.K[0, 0] * camera.K[1, 1],
                (2 * reach_px[i]) ** 2,
            )
        chance = min(1.0, layers * 64 / max(covered, 1e-9))
        for i in rows:
            share[i] *= chance if i * 0.6180339887498949 % 1 < chance else 0


def subsample_points(xyz, sweep, exempt, T_cam_src, camera, density, rows, share):
    """Gather each cell's points in a dictionary, keep some of each."""
    cells = {}
    for i in rows:
        p = (T_cam_src @ [*xyz[i].astype(np.float64), 1])[:3]
        cells.setdefault(_cell(*(camera.K @ (p / p[2]))[:2], p[2], camera), []).append(i)
    kept = []
    for members in cells.values():
        chance = min(1.0, density * 64 / len(members))
        kept += [(i, 1.0) for i in members if exempt[sweep[i]]]
        kept += [(i, chance) for i in members if not exempt[sweep[i]] and i * 0.6180339887498949 % 1 < chance]
    for m, (i, chance) in enumerate(sorted(kept)):
        rows[m], share[m] = i, chance
    return len(kept)


def _cell(u, v, z, camera):
    """Eight pixels wide and high, an eighth of an octave deep; one border around the image."""
    col, row = (
        np.clip(np.floor(u / 8), -1, camera.width_px // 8 + 1),
        np.clip(np.floor(v / 8), -1, camera.height_px // 8 + 1),
    )
    mantissa, exponent = np.frexp(np.float32(z))
    depth = 8 * (exponent + 2) + int(np.floor((2 * mantissa - 1) * 8))
    return int(row), int(col), int(np.clip(depth, 0, 127))
