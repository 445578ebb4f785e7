"""Surfels as planes over an image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from densegt.accumulate.surfels import Surfels
from densegt.datasets.scene import Camera
from densegt.kernels.surfel import COLUMNS, project_surfels

Float32 = NDArray[np.float32]
Int32 = NDArray[np.int32]


@dataclass(frozen=True)
class ProjectedSurfels:
    """What `project_surfels` says of the surfels of a view.

    Attributes:
        planes: (M,14) float32, bounds: (M,4) int32, of those that cover pixels.
        rows: (M,) int32, which they are.
    """

    planes: Float32
    bounds: Int32
    rows: Int32

    @classmethod
    def of(
        cls, surfels: Surfels, trust: Float32, share: Float32, reach_px: Float32, camera: Camera
    ) -> ProjectedSurfels:
        """Of surfels in cam; those with a share of 0 cover nothing."""
        n = len(surfels)
        planes = np.empty((n, COLUMNS), np.float32)
        bounds, rows = np.empty((n, 4), np.int32), np.empty(n, np.int32)
        shape_of = (surfels.xyz, surfels.tangents, surfels.half_m, trust, share)
        size = (camera.height_px, camera.width_px)
        count = project_surfels(*shape_of, camera.K, reach_px, *size, planes, bounds, rows)
        return cls(planes[:count], bounds[:count], rows[:count])
