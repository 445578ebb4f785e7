"""The ego's path through poses that do not lie at the sensors' stamps."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]


@dataclass(frozen=True)
class PosePath:
    """Poses in order of time: linear translation and slerp between them, the end velocities a little beyond.

    Attributes:
        timestamps_us: (M,) increasing, M > 0.
        T_global_ego: (M,4,4).
        reach_s: so far before the first pose and after the last the path is known.
        max_gap_s: between poses farther apart than this it is not known.
    """

    timestamps_us: Int64
    T_global_ego: Float64
    reach_s: float = 0.0
    max_gap_s: float = np.inf

    def knows(self, stamps_us: Int64) -> NDArray[np.bool_]:
        """Whether the path is known at stamps (N,)."""
        first, last = self.timestamps_us[0], self.timestamps_us[-1]
        reach_us = round(self.reach_s * 1e6)
        known: NDArray[np.bool_] = (stamps_us >= first - reach_us) & (stamps_us <= last + reach_us)
        if len(self.timestamps_us) > 1 and np.isfinite(self.max_gap_s):
            k = self._before(stamps_us)
            gap_us = self.timestamps_us[k + 1] - self.timestamps_us[k]
            inside = (stamps_us >= first) & (stamps_us <= last)
            at_a_pose = (stamps_us == self.timestamps_us[k]) | (stamps_us == self.timestamps_us[k + 1])
            known &= ~inside | at_a_pose | (gap_us <= self.max_gap_s * 1e6)
        return known

    def at(self, stamps_us: Int64) -> Float64:
        """T_global_ego (N,4,4) at stamps (N,)."""
        from scipy.spatial.transform import Rotation

        if len(self.timestamps_us) == 1:
            return np.repeat(self.T_global_ego, len(stamps_us), axis=0)
        k = self._before(stamps_us)
        a, b = self.T_global_ego[k], self.T_global_ego[k + 1]
        # Differences of integers first: stamps themselves lose their last digits as floats.
        fraction = (stamps_us - self.timestamps_us[k]) / (self.timestamps_us[k + 1] - self.timestamps_us[k])
        out = np.zeros((len(stamps_us), 4, 4))
        if len(stamps_us):
            turn = Rotation.from_rotvec(fraction[:, None] * self._turns_rad[k]).as_matrix()
            out[:, :3, :3] = a[:, :3, :3] @ turn
        out[:, :3, 3] = a[:, :3, 3] + fraction[:, None] * (b[:, :3, 3] - a[:, :3, 3])
        out[:, 3, 3] = 1.0
        return out

    @cached_property
    def _turns_rad(self) -> Float64:
        """Rotation vectors (M-1,3) from each pose to the next, in the former's frame."""
        from scipy.spatial.transform import Rotation

        R = self.T_global_ego[:, :3, :3]
        turns: Float64 = Rotation.from_matrix(np.swapaxes(R[:-1], 1, 2) @ R[1:]).as_rotvec()
        return turns

    def _before(self, stamps_us: Int64) -> NDArray[np.intp]:
        return np.clip(np.searchsorted(self.timestamps_us, stamps_us, side="right") - 1, 0, len(self.timestamps_us) - 2)
