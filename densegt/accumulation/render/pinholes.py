"""Pinholes of a depth map: small holes whose rim agrees on one surface."""

from __future__ import annotations

from densegt.accumulation.config import SurfelConfig
from densegt.depth.depth_map import Source
from densegt.kernels.close_pinholes import close_pinholes
from densegt.kernels.upsample import DepthLayers


def fill_pinholes(layers: DepthLayers, config: SurfelConfig) -> None:
    """Fill small holes of the layers (H,W) in place; larger holes, and those at an outline, stay."""
    close_pinholes(config.pinhole_px, config.fill_tolerance, int(Source.SURFACE), layers)
