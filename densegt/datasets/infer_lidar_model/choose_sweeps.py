"""Which sweeps are worth comparing: a few groups, spread over a scene, between whose members the ego got on."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from densegt.datasets.scene import Sweep
from densegt.geometry import se3

GROUPS, MEMBERS = 3, 4
# Between neighbouring members: neighbouring sweeps are warped alike, and what is too far apart shows other surfaces.
STEP_SWEEPS = (4, 12)
STEP_M = 2.5
# A turn counts like so many metres of way for each radian.
TURN_M = 15.0


def choose_sweeps(sweeps: Sequence[Sweep]) -> list[list[int]]:
    """Groups of indices into one lidar's sweeps (in order of time), those first where the ego moved and turned most.

    Empty where there are fewer than two; nothing is read.
    """
    if len(sweeps) < 2:
        return []
    T = np.stack([s.T_global_ego for s in sweeps])
    moved_m = np.linalg.norm(np.diff(T[:, :3, 3], axis=0), axis=1)
    turned = np.array([_angle(se3.inverse(a) @ b) for a, b in pairwise(T)])
    typical_m = max(float(np.median(moved_m)), 1e-3)
    step = int(np.clip(np.ceil(STEP_M / typical_m), *STEP_SWEEPS))
    step = max(min(step, (len(sweeps) - 1) // (MEMBERS - 1)), 1)
    reach = step * (MEMBERS - 1)
    way = np.r_[0, np.cumsum(moved_m + TURN_M * turned)]
    starts = np.arange(max(len(sweeps) - reach, 1))
    ends = np.minimum(starts + reach, len(sweeps) - 1)
    apart = max((len(starts) - 1) / (GROUPS + 1), 1)
    chosen: list[int] = []
    for start in np.argsort(-(way[ends] - way[starts]), kind="stable"):
        if len(chosen) < GROUPS and all(abs(start - other) >= apart for other in chosen):
            chosen.append(int(start))
    return [[i for i in range(s, s + reach + 1, step) if i < len(sweeps)] for s in sorted(chosen)]


def _angle(T: NDArray[np.float64]) -> float:
    return float(np.arccos(np.clip((np.trace(T[:3, :3]) - 1) / 2, -1, 1)))
