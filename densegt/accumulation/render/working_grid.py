"""The grid that surfaces are rendered on: no finer than the lidar resolves."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from densegt.accumulation.config import SurfelConfig
from densegt.datasets.scene import Camera


def working_step(camera: Camera, config: SurfelConfig) -> int:
    """Pixels of the image to a cell of the grid, along and across."""
    return max(1, int(np.ceil(config.finest_rad * camera.K[0, 0])))


def working_camera(camera: Camera, step: int) -> Camera:
    """The camera with pixels `step` times as large; the last may extend over the image's border."""
    if step == 1:
        return camera
    # Pixel centres are integers, so the middle moves by half a pixel too.
    K = camera.K / [[step], [step], [1]]
    K[:2, 2] += 0.5 / step - 0.5
    return replace(camera, K=K, width_px=-(-camera.width_px // step), height_px=-(-camera.height_px // step))
