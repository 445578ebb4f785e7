"""What detectors share that name every object by its centre's cell."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from densegt.datasets.detection_classes import CLASSES, MAX_BOXES
from densegt.detection.bev.bev_target import centre_target
from densegt.detection.bev.grid import BevGrid
from densegt.detection.bev.heads import Centres, DecodedBoxes, decode
from densegt.detection.bev.losses import centre_losses
from densegt.detection.points.pixor.suppress import suppress
from densegt.detection.points.pseudo_lidar.detector import Boxes, Detector


class CentreSettings(Protocol):
    """Of losses and boxes; see `CenterPointConfig`."""

    @property
    def min_radius(self) -> int:
        """Of a heat spot, in cells."""

    @property
    def min_overlap(self) -> float:
        """From which on the less likely of two boxes is dropped."""

    @property
    def speed(self) -> float:
        """Weight of velocity's two numbers among a box's ten."""


class CentreDetector(Detector):
    """Losses and boxes of `Centres`.

    Attributes:
        settings: with a weight for each loss, of the loss's name.
    """

    settings: CentreSettings
    grid: BevGrid

    def losses(self, said: Centres, truth: Boxes) -> dict[str, Tensor]:
        """As of `LiftSplat`'s centres."""
        target = centre_target(
            truth.boxes, truth.labels, truth.attributes, self.grid, classes=len(CLASSES),
            min_radius=self.settings.min_radius,
        )  # fmt: skip
        costs = centre_losses(said, target, speed=self.settings.speed)
        return {name: getattr(self.settings, name) * cost for name, cost in costs.items()}

    def found(self, said: Centres) -> DecodedBoxes:
        """The boxes of the likeliest peaks, those left out that stand where a likelier one of the class does."""
        with torch.no_grad():
            peaks = decode(said, self.grid, most=MAX_BOXES)
        return suppress(peaks, self.settings.min_overlap, most=MAX_BOXES)
