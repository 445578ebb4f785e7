"""What detectors share that name every object by its centre's cell."""

from __future__ import annotations

import torch
from torch import Tensor

from densegt.datasets.detection_classes import CLASSES, MAX_BOXES
from densegt.detection.bev.bev_target import centre_target
from densegt.detection.bev.grid import BevGrid
from densegt.detection.bev.heads import Centres, DecodedBoxes, decode
from densegt.detection.bev.losses import centre_losses
from densegt.detection.points.centerpoint.centre_config import CentreConfig
from densegt.detection.points.pixor.suppress import suppress
from densegt.detection.points.pseudo_lidar.detector import Boxes, Detector


class CentreDetector(Detector):
    """Losses and boxes of `Centres`."""

    config: CentreConfig
    grid: BevGrid

    def losses(self, said: Centres, truth: Boxes) -> dict[str, Tensor]:
        """As of `LiftSplat`'s centres."""
        target = centre_target(
            truth.boxes, truth.labels, truth.attributes, self.grid, classes=len(CLASSES),
            min_radius=self.config.min_radius,
        )  # fmt: skip
        costs = centre_losses(said, target, speed=self.config.speed)
        return {name: getattr(self.config, name) * cost for name, cost in costs.items()}

    def found(self, said: Centres) -> DecodedBoxes:
        """The boxes of the likeliest peaks, those left out that stand where a likelier one of the class does."""
        with torch.no_grad():
            peaks = decode(said, self.grid, most=MAX_BOXES)
        return suppress(peaks, self.config.min_overlap, most=MAX_BOXES)
