"""poses.csv: the ego's path, interpolated at the stamps of sweeps and images."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from densegt.datasets.custom.csv_table import POSE_COLUMNS, numbers, read_columns, stamps_us
from densegt.errors import InputError
from densegt.geometry import se3

# Farther from the nearest pose, or between two farther apart, nobody knows where the car was.
MAX_BEYOND_US = 1_000
MAX_GAP_US = 1_100_000


class EgoPoses:
    """The path through the rows of poses.csv."""

    def __init__(self, path: Path) -> None:
        columns = read_columns(path, POSE_COLUMNS)
        values = numbers(path, columns, POSE_COLUMNS[1:])
        stamps, first = np.unique(stamps_us(path, columns), return_index=True)
        if not len(stamps):
            raise InputError(f"{path}: no pose in it")
        self.path = path
        self._stamps_us = stamps
        try:
            self._T_global_ego = se3.from_quaternions(values[:, 3:], values[:, :3])[first]
        except ValueError as error:
            raise InputError(f"{path}: {error}") from None

    def unknown(self, t_us: NDArray[np.int64]) -> dict[int, str]:
        """Those of the times (N,) at which nobody knows where the car was, each with the reason."""
        stamps = self._stamps_us
        first, last = int(stamps[0]), int(stamps[-1])
        reasons = {}
        for t in t_us[(t_us < first - MAX_BEYOND_US) | (t_us > last + MAX_BEYOND_US)].tolist():
            off = (
                f"{(first - t) * 1e-6:.3g} s before the first"
                if t < first
                else f"{(t - last) * 1e-6:.3g} s after the last"
            )
            reasons[t] = f"no pose at {t} us, {off}; poses go from {first} to {last}"
        if len(stamps) == 1:
            return reasons
        k = np.clip(np.searchsorted(stamps, t_us, side="right") - 1, 0, len(stamps) - 2)
        between = (t_us > stamps[k]) & (t_us < stamps[k + 1])
        for i in np.flatnonzero(between & (stamps[k + 1] - stamps[k] > MAX_GAP_US)):
            gap_s = int(stamps[k[i] + 1] - stamps[k[i]]) * 1e-6
            reasons[int(t_us[i])] = f"no pose near {int(t_us[i])} us, in a gap of {gap_s:.1f} s"
        return reasons

    def at(self, t_us: NDArray[np.int64]) -> NDArray[np.float64]:
        """T_global_ego (N,4,4): linear in place, slerp in rotation.

        Raises:
            InputError: a time lies outside the path, or in a gap of it.
        """
        from scipy.spatial.transform import Rotation, Slerp

        stamps = self._stamps_us
        for reason in self.unknown(t_us).values():
            raise InputError(f"{self.path}: {reason}")
        if len(stamps) == 1:
            return np.repeat(self._T_global_ego, len(t_us), axis=0)
        since_s = (np.clip(t_us, stamps[0], stamps[-1]) - stamps[0]) * 1e-6
        knots_s = (stamps - stamps[0]) * 1e-6
        T = np.zeros((len(t_us), 4, 4))
        T[:, :3, :3] = Slerp(knots_s, Rotation.from_matrix(self._T_global_ego[:, :3, :3]))(since_s).as_matrix()
        T[:, 3, 3] = 1.0
        for axis in range(3):
            T[:, axis, 3] = np.interp(since_s, knots_s, self._T_global_ego[:, axis, 3])
        return T
