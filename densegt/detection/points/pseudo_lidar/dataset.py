"""Keyframes with the points of their own sweep."""

from __future__ import annotations

from typing import cast

import numpy as np
import torch
from torch import Tensor

from densegt.detection.data.dataset import Batch, NuScenesDepth
from densegt.geometry import se3

# nuScenes' lidar gives no more in a turn; what is nearer than this is the car itself.
MAX_POINTS = 40_000
MIN_RANGE_M = 1.5


class PointsBatch(Batch):
    """A `Batch` with points (B,N,3) float32 in ref, augmentation folded in; NaN is padding."""

    points: Tensor


class WithSweep(NuScenesDepth):
    """`NuScenesDepth`, whose samples are `PointsBatch`es."""

    def draw(self, index: int, rng: np.random.Generator | None) -> PointsBatch:
        """See `NuScenesDepth.draw`."""
        sample = super().draw(index, rng)
        sweep = self.keyframes[index].sweeps[0]
        xyz_lidar = self._points(sweep).xyz_lidar
        far = np.linalg.norm(xyz_lidar, axis=1) > MIN_RANGE_M
        T_ref_lidar = np.linalg.inv(sample["T_global_ref"].numpy()) @ sweep.T_global_lidar
        points = np.full((MAX_POINTS, 3), np.nan, np.float32)
        kept = se3.apply(T_ref_lidar, xyz_lidar[far].astype(np.float64))[:MAX_POINTS]
        points[: len(kept)] = kept
        return cast(PointsBatch, {**sample, "points": torch.from_numpy(points)})
