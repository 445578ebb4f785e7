"""Which points of a sweep belong to which moving object."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from densegt.accumulate.config import TracksConfig
from densegt.accumulate.tracks import ContinuousTrack

STATIC = -1
AMBIGUOUS = -2


def claim_points(
    xyz_global: NDArray[np.float64],
    time_us: NDArray[np.float64],
    tracks: Sequence[ContinuousTrack],
    config: TracksConfig,
) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """Give each point (N,3) to the moving object whose widened box holds it at the point's own time (N,).

    Points in the lowest slice of a box may be wheel or road and are given to nobody (`AMBIGUOUS`). Of several boxes the
    one whose middle is nearest wins. A track that cannot tell where it is claims nothing.

    Returns:
        owner: (N,) index into tracks, or STATIC, or AMBIGUOUS.
        T_global_box: (N,4,4) float64, the owner's pose at the point's time; garbage where there is none.
    """
    owner = np.full(len(xyz_global), STATIC, dtype=np.int32)
    distance_m = np.full(len(xyz_global), np.inf)
    T_owner = np.zeros((len(xyz_global), 4, 4))
    if len(xyz_global) == 0:
        return owner, T_owner
    middle_us = np.array([(time_us.min() + time_us.max()) / 2])
    for index, track in enumerate(tracks):
        if not track.known_at(middle_us)[0]:
            continue
        centre = track.poses_at(middle_us)[0, :3, 3]
        # 3 m more than the box's radius, since a fast object moves within the turn.
        near = np.flatnonzero(((xyz_global - centre) ** 2).sum(axis=1) < (track.radius_m + 3.0) ** 2)
        if len(near) == 0:
            continue
        T = track.poses_at(time_us[near])
        xyz_box = np.einsum("nji,nj->ni", T[:, :3, :3], xyz_global[near] - T[:, :3, 3])
        half = track.size_lwh_m / 2
        inside = (np.abs(xyz_box) <= half + config.margin_m).all(axis=1)
        from_middle = np.linalg.norm(xyz_box, axis=1)
        mine = inside & (from_middle < distance_m[near])
        low = xyz_box[:, 2] < -half[2] + min(config.ground_clearance_m, 0.4 * track.size_lwh_m[2])
        rows = near[mine]
        owner[rows] = np.where(low[mine], AMBIGUOUS, index)
        distance_m[rows] = from_middle[mine]
        T_owner[rows] = T[mine]
    return owner, T_owner
