"""Intersection over union of vehicles on the ground plane, beside what fixed answers would reach."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Bool = NDArray[np.bool_]


class VehicleIou:
    """Sums over samples."""

    def __init__(self, shape: tuple[int, int]) -> None:
        self._both = self._either = self._samples = 0
        self._times = np.zeros(shape, np.int64)

    def update(self, said: Bool, truth: Bool) -> None:
        """Add a sample, (Y,X) each."""
        self._both += int((said & truth).sum())
        self._either += int((said | truth).sum())
        self._times += truth
        self._samples += 1

    def compute(self) -> dict[str, float]:
        """IoU, that of saying vehicle everywhere, and of the best map that is the same for all samples.

        That map is chosen in hindsight: the cells that are vehicles' most often, as many of them as pay.
        """
        total = int(self._times.sum())
        times = np.sort(self._times.ravel())[::-1]
        cells = np.arange(1, len(times) + 1)
        both = np.cumsum(times)
        fixed = both / np.maximum(total + self._samples * cells - both, 1)
        return {
            "IoU": self._both / max(self._either, 1),
            "everywhere": float(fixed[-1]),
            "best fixed map": float(fixed.max()),
        }
