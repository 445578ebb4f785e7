"""From configuration to a detector."""

from __future__ import annotations

from densegt.detection.points.pixor.network import Pixor
from densegt.detection.points.pointrcnn.net import PointRcnn
from densegt.detection.points.pseudo_lidar.config import PlModelConfig
from densegt.detection.points.pseudo_lidar.detector import Detector


def build_detector(config: PlModelConfig) -> Detector:
    """With new weights."""
    grid = config.grid.made()
    if config.detector == "pixor":
        return Pixor(config.pixor, grid)
    return PointRcnn(config.pointrcnn, grid)
