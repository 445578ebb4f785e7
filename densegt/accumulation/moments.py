"""The order of a scene's sweeps: whose they are, and which of several lidars' were measured at the same moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from densegt.datasets.lidar_model import LidarModel
from densegt.datasets.scene import Scene

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Moments:
    """Sweeps (S) of several lidars in moments: one turn of the lidar with the most sweeps, and the others' next to it.

    Of a single lidar each sweep is a moment of its own.

    Attributes:
        lidar: (S,) int64 index into the scene's lidars.
        moment: (S,) int64.
    """

    lidar: Ints
    moment: Ints

    @classmethod
    def of(cls, scene: Scene) -> Moments:
        """By the middles of the sweeps' turns."""
        number = {lidar.channel: index for index, lidar in enumerate(scene.lidars)}
        lidar = np.array([number[sweep.lidar.channel] for sweep in scene.sweeps], dtype=np.int64)
        count = np.bincount(lidar, minlength=len(scene.lidars))
        main = np.flatnonzero(lidar == count.argmax())
        if len(main) == len(lidar):
            return cls(lidar, np.arange(len(lidar)))
        middle_us = np.array([sweep.timestamp_us + middle_s(sweep.lidar_model) * 1e6 for sweep in scene.sweeps])
        between_us = (middle_us[main][1:] + middle_us[main][:-1]) / 2
        moment = np.searchsorted(between_us, middle_us)
        moment[main] = np.arange(len(main))
        return cls(lidar, moment)

    @property
    def count(self) -> int:
        """How many moments there are."""
        return int(self.moment.max(initial=-1)) + 1

    @property
    def first(self) -> Ints:
        """(M,) the first sweep of each moment, of the lidar with the most sweeps."""
        main = self._sweeps[int(np.bincount(self.lidar).argmax())]
        return main

    @cached_property
    def _sweeps(self) -> tuple[Ints, ...]:
        """The sweeps of each lidar, in order."""
        return tuple(np.flatnonzero(self.lidar == k) for k in range(int(self.lidar.max(initial=-1)) + 1))

    @cached_property
    def _turn(self) -> Ints:
        """(S,) the number of each sweep among its lidar's."""
        turn = np.empty(len(self.lidar), dtype=np.int64)
        for sweeps in self._sweeps:
            turn[sweeps] = np.arange(len(sweeps))
        return turn

    def turns_away(self, sweep: NDArray[np.integer], turns: int) -> Ints:  # type: ignore[type-arg]
        """The sweep (N,) of the same lidar so many turns later, -1 for none."""
        out = np.full(len(sweep), -1, dtype=np.int64)
        at = self._turn[sweep] + turns
        for k, sweeps in enumerate(self._sweeps):
            there = (self.lidar[sweep] == k) & (at >= 0) & (at < len(sweeps))
            out[there] = sweeps[at[there]]
        return out

    def about(self, offsets: Sequence[int]) -> Ints:
        """All lidars' sweeps (S,K) so many moments before and after each sweep; -1 for none."""
        count = self.count
        most = int(np.bincount(self.moment, minlength=1).max())
        of_moment = np.full((count, most), -1, dtype=np.int64)
        for moment in range(count):
            sweeps = np.flatnonzero(self.moment == moment)
            of_moment[moment, : len(sweeps)] = sweeps
        there = self.moment[:, None] + np.array([sign * step for step in offsets for sign in (1, -1)])
        out = np.where(((there >= 0) & (there < count))[..., None], of_moment[there.clip(0, count - 1)], -1)
        return np.ascontiguousarray(out.reshape(len(self.moment), -1))

    def with_other_lidars(self, sweeps: NDArray[np.integer]) -> Ints:  # type: ignore[type-arg]
        """Some sweeps, and of each lidar without any among them those of the same moments."""
        others = ~np.isin(self.lidar, self.lidar[sweeps]) & np.isin(self.moment, self.moment[sweeps])
        return np.union1d(sweeps, np.flatnonzero(others))

    def nearest(self, away: NDArray[np.float64], count: int) -> Ints:
        """The sweeps of each lidar that are least `away` (S,), so many of each."""
        parts = [sweeps[np.argsort(away[sweeps], kind="stable")[:count]] for sweeps in self._sweeps]
        return np.concatenate(parts)


def middle_s(model: LidarModel) -> float:
    """The middle of a turn relative to its stamp, s."""
    return (0.5 - model.stamp_fraction) * model.period_s
