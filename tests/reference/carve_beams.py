"""Slow twins of densegt.kernels.carve_beams."""

from __future__ import annotations

import numpy as np

from .march_rays import pieces


def slabs_of(start, unit, enter, leave, half, voxel):
    """Bits of the quarters along each axis that the interval widened by half meets."""
    bits = 0
    for axis in range(3):
        ends = sorted(start[axis] + unit[axis] * t - voxel[axis] for t in (enter, leave))
        for k in range(4):
            if ends[0] - half < (k + 1) / 4 and ends[1] + half >= k / 4:
                bits |= 1 << (4 * axis + k)
    return bits


def carve_beams(beams, rule, passes):
    for start, end, normal in zip(*(part.astype(np.float64) for part in beams), strict=True):
        length = np.linalg.norm(end - start)
        if not 0 < length < np.inf:
            continue
        unit = (end - start) / length
        for voxel, enter, leave in pieces(start, unit, length, passes.beams.shape):
            away = abs(normal @ (np.array(voxel) + 0.5 - end))
            touched = away <= np.abs(normal).sum() / 2 + rule.margin
            near = length - leave <= rule.reach
            if leave - enter >= rule.least_path and not (touched and near):
                passes.beams[voxel] = min(int(passes.beams[voxel]) + 1, 65535)
                passes.slabs[voxel] |= slabs_of(start, unit, enter, leave, rule.spread * leave, voxel)
