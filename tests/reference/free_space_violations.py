"""Slow twins of densegt.kernels.free_space_violations."""

from __future__ import annotations

import numpy as np

from .free_space import beams_around, free_space_votes


def free_space_violations(xyz, sweep, asked, images, margin, passed):
    free_space_votes(xyz, sweep, asked, images, margin, passed, np.empty_like(passed))


def free_space_violations_now(xyz, sweep, rows, asked, images, margin, max_answer_m, min_elevation_rad, passed, silent):
    """Votes, and of each place the beams of its own lidar's asked sweeps around it: all of them silent or before it."""
    none = np.zeros(len(rows), dtype=np.int32)
    free_space_votes(xyz[rows], none, np.asarray(asked)[None], images, margin, passed, np.empty_like(passed))
    for k, i in enumerate(rows):
        own = [s for s in asked if images.lidar[s] == images.lidar[sweep[i]]]
        farthest_m = max(1.1 * np.linalg.norm(xyz[i] - images.origin[sweep[i]]), max_answer_m)
        beams, may = [], len(own) > 0
        for s in own:
            around, elevation, distance = beams_around(images, s, xyz[i])
            if around is None or elevation < min_elevation_rad or distance > farthest_m:
                may = False
                continue
            may &= around.max() <= distance - margin.absolute_m
            beams.extend(around.ravel())
        silent[k] = may and np.count_nonzero(np.array(beams) == 0) * 3 >= 8 * len(own)
