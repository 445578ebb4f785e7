"""Consistency of a motion with free space: carried along it, points must not lie where other sweeps saw nothing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from densegt.accumulation.config import FreeSpaceConfig
from densegt.accumulation.moments import Moments
from densegt.accumulation.motion.discovery.ground_height import Ground
from densegt.accumulation.motion.discovery.planar_motion import PlanarMotion
from densegt.accumulation.motion.free_space import votes_of_sweep
from densegt.kernels.range_images import RangeImages

Float64 = NDArray[np.float64]
Bool = NDArray[np.bool_]

MIN_PASSED, PASSED_SHARE = 2, 0.34
STEPS_S = (0.1, 0.2, 0.35, 0.6, 1.0, 1.6, 2.4)


@dataclass(frozen=True)
class StaticWorld:
    """The sweeps' free space, and the ground that heights count from.

    Attributes:
        middle_s: (S,) s, the middle of each turn.
    """

    images: RangeImages
    moments: Moments
    ground: Ground
    config: FreeSpaceConfig
    middle_s: Float64

    def votes_at(self, q: Float64, pose: Float64, sweep: NDArray[np.int32]) -> tuple[Bool, Bool]:
        """Whether a sweep (N,) looked through each point (N,3) of a frame at `pose` (N,3) x, y, yaw; whether it met it.

        Heights count from the ground under the point.
        """
        c, s = np.cos(pose[:, 2]), np.sin(pose[:, 2])
        xy = pose[:, :2] + np.column_stack([c * q[:, 0] - s * q[:, 1], s * q[:, 0] + c * q[:, 1]])
        xyz = np.column_stack([xy, q[:, 2] + self.ground.under(xy)]).astype(np.float32)
        passed, met = votes_of_sweep(self.images, xyz, sweep, self.config)
        return passed > 0, met > 0


def in_free_space(
    xyz: NDArray[np.float32],
    time_s: NDArray[np.float32],
    sweep: NDArray[np.int32],
    motion: PlanarMotion,
    world: StaticWorld,
) -> Bool:
    """Which points (N,), heights above the ground, a motion carries into free space of other turns of their lidar."""
    q, _ = motion.into(xyz, time_s)
    passed, met = np.zeros(len(q)), np.zeros(len(q))
    gap_s = float(np.median(np.diff(world.middle_s[world.moments.first])))
    for step in sorted({max(1, round(s / gap_s)) for s in STEPS_S}):
        for k in (step, -step):
            there = world.moments.turns_away(sweep, k)
            # The beam passes over an object at much the same time of each turn.
            then_s = time_s.astype(np.float64) + world.middle_s[there] - world.middle_s[sweep]
            ask = (there >= 0) & (then_s >= motion.start_s) & (then_s <= motion.end_s)
            if ask.any():
                p, m = world.votes_at(q[ask], motion.at(then_s[ask]), there[ask].astype(np.int32))
                passed[ask] += p
                met[ask] += m
    return (passed >= MIN_PASSED) & (passed > PASSED_SHARE * (passed + met))
