"""Slow twins of densegt.kernels.upsample."""

from __future__ import annotations

import numpy as np


def upsample(
    depth_m,
    row_of,
    sure,
    inverse_slope,
    step,
    relative,
    shown,
    shown_m,
    kind,
    age_s,
    surface,
    out_m,
    out_kind,
    out_age_s,
    out_sure,
):
    """Pixel by pixel: the cell it lies in, where it lies there, what the cell's plane says, then its own point."""
    for r, c in np.ndindex(shown.shape):
        cell = r // step, c // step
        out_m[r, c], out_kind[r, c], out_age_s[r, c], out_sure[r, c] = 0, 0, 0, 0
        if depth_m[cell] <= 0:
            continue
        z, i, p = float(depth_m[cell]), row_of[cell], shown[r, c]
        off = [((at + 0.5) / step - (box + 0.5)) for at, box in ((c, cell[1]), (r, cell[0]))]
        inverse = 1 / z + inverse_slope[cell].astype(float) @ off
        if 1 / (1 + relative) <= 1 / (z * inverse) <= 1 + relative:
            z = 1 / inverse
        mine = p >= 0 and z / (1 + relative) <= shown_m[r, c] <= z * (1 + relative)
        if mine:
            z, i = shown_m[r, c], p
        out_m[r, c], out_kind[r, c], out_sure[r, c] = z, kind[i] if mine else surface, sure[cell]
        out_age_s[r, c] = age_s[i] if i >= 0 else 0
