"""Patches as planes over an image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from densegt.accumulate.patches import Patches
from densegt.datasets.scene import Camera
from densegt.kernels.patch import COLUMNS, project_patches

Float32 = NDArray[np.float32]
Int32 = NDArray[np.int32]


@dataclass(frozen=True)
class Planes:
    """What `project_patches` says of the patches of a view.

    Attributes:
        planes: (M,14) float32, bounds: (M,4) int32, of those that cover pixels.
        rows: (M,) int32, which they are.
    """

    planes: Float32
    bounds: Int32
    rows: Int32

    @classmethod
    def of(cls, patches: Patches, trust: Float32, share: Float32, reach_px: Float32, camera: Camera) -> Planes:
        """Of patches in cam; those with a share of 0 cover nothing."""
        n = len(patches)
        planes = np.empty((n, COLUMNS), np.float32)
        bounds, rows = np.empty((n, 4), np.int32), np.empty(n, np.int32)
        shape_of = (patches.xyz, patches.tangents, patches.half_m, trust, share)
        size = (camera.height_px, camera.width_px)
        count = project_patches(*shape_of, camera.K, reach_px, *size, planes, bounds, rows)
        return cls(planes[:count], bounds[:count], rows[:count])
