"""Surfels projected to planes over an image."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from densegt.accumulation.surfels import Surfels
from densegt.datasets.scene import Camera
from densegt.kernels.frustum import Pinhole
from densegt.kernels.surfel import COLUMNS, ProjectedSurfels, SurfelGeometry, project_surfels

Float32 = NDArray[np.float32]


def pinhole(camera: Camera) -> Pinhole:
    """Intrinsics and size of a camera, for kernels."""
    return Pinhole(camera.K, camera.width_px, camera.height_px)


def project(surfels: Surfels, trust: Float32, share: Float32, reach_px: Float32, camera: Camera) -> ProjectedSurfels:
    """Those of the surfels (N) in cam that cover pixels; arguments as for `project_surfels`."""
    n = len(surfels)
    out = ProjectedSurfels(np.empty((n, COLUMNS), np.float32), np.empty((n, 4), np.int32), np.empty(n, np.int32))
    geometry = SurfelGeometry(surfels.xyz, surfels.tangents, surfels.half_m)
    count = project_surfels(geometry, trust, share, reach_px, pinhole(camera), out)
    return ProjectedSurfels._make(array[:count] for array in out)
