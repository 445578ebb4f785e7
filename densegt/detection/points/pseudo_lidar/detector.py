"""What every detector of points is to the training: it answers, says what its answer costs, and names boxes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, NamedTuple

from torch import Tensor, nn

from densegt.datasets.detection_classes import CLASSES
from densegt.detection.bev.heads import DecodedBoxes
from densegt.detection.data.batch import Batch
from densegt.detection.points.pseudo_lidar.points import PointBatch


class Boxes(NamedTuple):
    """What is to be found: boxes (B,M,9), labels (B,M) with -1 for padding, attributes (B,M); see `Batch`."""

    boxes: Tensor
    labels: Tensor
    attributes: Tensor


def boxes_of(batch: Batch) -> Boxes:
    """As many as the fullest sample has, at least one: the rest is padding that costs time and says nothing."""
    most = max(int((batch["labels"] >= 0).sum(1).max()), 1)
    return Boxes(batch["boxes"][:, :most], batch["labels"][:, :most], batch["attributes"][:, :most])


class Detector(nn.Module, ABC):
    """A network that reads points; any sample may be without points, and without boxes.

    Attributes:
        classes: that it looks for.
        earlier_sweeps: of a lidar that it reads beside the keyframe's own.
    """

    classes: tuple[str, ...] = CLASSES
    earlier_sweeps: int = 0

    @abstractmethod
    def forward(self, points: PointBatch, truth: Boxes | None = None) -> Any:
        """The answer; the truth is given in training only, to draw examples by."""

    @abstractmethod
    def losses(self, said: Any, truth: Boxes) -> dict[str, Tensor]:
        """Weighted mean losses by what they ask for."""

    @abstractmethod
    def found(self, said: Any) -> DecodedBoxes:
        """Boxes, best first; a score of 0 is no box."""
