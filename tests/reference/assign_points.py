"""Slow twins of densegt.kernels.assign_points."""

from __future__ import annotations

from itertools import pairwise

import numpy as np


def pose_between(motion, box, time_s, out):
    """Each entry by itself, held at the ends."""
    times = motion.start_s + motion.step_s * np.arange(motion.T_origin_box.shape[1])
    for at in np.ndindex(3, 4):
        out[at] = np.interp(time_s, times, motion.T_origin_box[box][:, *at])


def assign_points_to_boxes(points, boxes, motion, static, ambiguous, owner):
    owner[:] = static
    T = np.empty((3, 4))
    for s, (begin, end) in enumerate(pairwise(points.first)):
        for i in range(begin, end):
            inside = []
            for k in np.flatnonzero(boxes.known[:, s]):
                if not np.linalg.norm(points.xyz[i, :2] - boxes.centre[k, s, :2]) < boxes.radius_m[k]:
                    continue
                pose_between(motion, k, points.time_s[i], T)
                p = T[:, :3].T @ (points.xyz[i] - T[:, 3])
                if (np.abs(p) <= boxes.half_m[k]).all():
                    inside.append((p @ p, ambiguous if p[2] < boxes.ambiguous_below_m[k] else k))
            if inside:
                owner[i] = min(inside)[1]


def move_into_box(points, tangents, rows, motion, box, xyz_box, tangents_box):
    T = np.empty((3, 4))
    for m, i in enumerate(rows):
        pose_between(motion, box, points.time_s[i], T)
        xyz_box[m] = T[:, :3].T @ (points.xyz[i] - T[:, 3])
        tangents_box[m] = tangents[i] @ T[:, :3]
