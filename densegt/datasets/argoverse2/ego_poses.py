"""The ego's poses in the city, by exact stamp: some are a single nanosecond apart."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from densegt.datasets.argoverse2.feather import POSE, poses_of, read_columns
from densegt.errors import InputError


class EgoPoses:
    """A log's table of poses, one for the stamp of every sweep and image."""

    def __init__(self, path: Path) -> None:
        columns = read_columns(path, {"timestamp_ns": "i8", **POSE})
        if not len(columns["timestamp_ns"]):
            raise InputError(f"{path}: no pose in it")
        self.path = path
        T_global_ego = poses_of(path, columns)
        self._stamps_ns, first = np.unique(columns["timestamp_ns"], return_index=True)
        self._T_global_ego: NDArray[np.float64] = T_global_ego[first]

    def at(self, stamps_ns: NDArray[np.int64]) -> NDArray[np.float64]:
        """T_global_ego (N,4,4) at stamps (N,) ns.

        Raises:
            InputError: there is none for one of them.
        """
        rows = np.minimum(np.searchsorted(self._stamps_ns, stamps_ns), len(self._stamps_ns) - 1)
        missing = np.flatnonzero(self._stamps_ns[rows] != stamps_ns)
        if len(missing):
            stamp_ns = int(stamps_ns[missing[0]])
            raise InputError(
                f"{self.path}: no pose for {stamp_ns} ns, nor for {len(missing) - 1} other stamps of the log"
            )
        return np.take(self._T_global_ego, rows, axis=0)
