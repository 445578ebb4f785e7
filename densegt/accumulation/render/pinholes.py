"""Pinholes of a depth map: small holes whose rim agrees on one surface."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from densegt.accumulation.config import SurfelConfig
from densegt.depth.depth_map import Source
from densegt.kernels.close_pinholes import close_pinholes
from densegt.kernels.upsample import DepthLayers


def fill_pinholes(layers: DepthLayers, config: SurfelConfig) -> None:
    """Fill small holes of the layers (H,W) in place; larger holes, and those at an outline, stay."""
    import cv2

    unknown = (layers.depth_m <= 0).astype(np.uint8)
    _, numbers, stats, _ = cv2.connectedComponentsWithStats(unknown, connectivity=4, ltype=cv2.CV_32S)
    label: NDArray[np.int32] = np.asarray(numbers, np.int32)
    area: NDArray[np.int32] = np.ascontiguousarray(stats[:, cv2.CC_STAT_AREA], np.int32)
    close_pinholes(label, area, config.pinhole_px, config.fill_tolerance, int(Source.SURFACE), layers)
