"""Slow twins of densegt.kernels.carve_beams."""

from __future__ import annotations

import numpy as np

from .march_rays import pieces

GOLDEN = (5**0.5 - 1) / 2


def slabs_of(start, unit, enter, leave, half, voxel):
    """Bits of the quarters along each axis that the interval widened by half meets."""
    bits = 0
    for axis in range(3):
        ends = sorted(start[axis] + unit[axis] * t - voxel[axis] for t in (enter, leave))
        for k in range(4):
            if ends[0] - half < (k + 1) / 4 and ends[1] + half >= k / 4:
                bits |= 1 << (4 * axis + k)
    return bits


def way_of(beams, row, lidars, T):
    """Start and end in voxels, and the unit normal of the surface at the end."""
    sweep = beams.sweep[row]
    after_s = float(beams.time_s[row]) - lidars.stamp_s[sweep]
    start = lidars.origin[sweep].astype(np.float64) + lidars.velocity[sweep].astype(np.float64) * after_s
    normal = T[:3, :3] @ np.cross(*beams.tangents[row].astype(np.float64))
    ends = (T[:3, :3] @ xyz + T[:3, 3] for xyz in (start, beams.xyz[row].astype(np.float64)))
    with np.errstate(invalid="ignore"):
        return *ends, normal / np.linalg.norm(normal)


def carve_beams(beams, rows, lidars, T_voxel_src, rule, passes):
    for row in rows:
        start, end, normal = way_of(beams, row, lidars, T_voxel_src)
        length = np.linalg.norm(end - start)
        if not 0 < length < np.inf:
            continue
        unit = (end - start) / length
        begin = rule.thinned * (row * GOLDEN % 1)
        for voxel, enter, leave in pieces(start, unit, length, passes.beams.shape):
            enter = max(enter, begin)
            away = abs(normal @ (np.array(voxel) + 0.5 - end))
            clear = length - leave > rule.reach or away > np.abs(normal).sum() / 2 + rule.margin
            if leave > enter and leave - enter >= rule.least_path and clear:
                passes.beams[voxel] = min(int(passes.beams[voxel]) + 1, 65535)
                passes.slabs[voxel] |= slabs_of(start, unit, enter, leave, rule.spread * leave, voxel)
