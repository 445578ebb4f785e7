"""Slow twins of densegt.kernels.points_in_ball."""

from __future__ import annotations


def points_in_ball(xyz, centres, radius_m, out):
    for m, centre in enumerate(centres):
        rows = [i for i, p in enumerate(xyz) if ((p - centre) ** 2).sum() < radius_m**2][: out.shape[1]]
        out[m] = rows + [rows[0] if rows else 0] * (out.shape[1] - len(rows))
