"""From configuration to a detector of points."""

from __future__ import annotations

from densegt.detection.points.pseudo_lidar.config import PlModelConfig
from densegt.detection.points.pseudo_lidar.detector import Detector
from densegt.detection.registry import network_type


def build_detector(config: PlModelConfig) -> Detector:
    """With new weights; its own part of the configuration has its name."""
    own = getattr(config, config.detector.replace("-", "_"))
    made: Detector = network_type(config.detector)(own, config.grid.made())
    return made
