"""What a trained detector says of keyframes, in numbers outside of torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from densegt.datasets.detection_classes import MAX_BOXES
from densegt.datasets.keyframes import Keyframe
from densegt.datasets.recording import Recording
from densegt.detection.data.labels import Labels
from densegt.detection.scoring.nuscenes_results import Detections

if TYPE_CHECKING:
    from densegt.detection.bev.heads import DecodedBoxes
    from densegt.detection.data.batch import Batch

Float32 = NDArray[np.float32]
# Boxes that are this unlikely are not worth their bytes.
MIN_SCORE = 0.01


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """Of one keyframe with V views.

    Attributes:
        depth_m, sigma_m: (V,h,w) z-depth and its standard deviation; of no view where nothing estimates it.
        truth_m: (V,h,w) the dataset's depth there, 0 = unknown.
    """

    found: Detections
    depth_m: Float32
    sigma_m: Float32
    truth_m: Float32


@dataclass(frozen=True)
class Picture:
    """A keyframe to look at.

    Attributes:
        image: (H,W,3) uint8, red green blue.
        shows: its name in the scores, where figures belong to it.
        figures: of this keyframe; the scores have their means.
    """

    image: NDArray[np.uint8]
    shows: str = ""
    figures: Mapping[str, float] = field(default_factory=dict)

    def png(self) -> bytes:
        """The image as a file's content."""
        return bytes(cv2.imencode(".png", self.image[..., ::-1])[1].tobytes())


class KeyframeDataset(Protocol):
    """Samples of keyframes, in order."""

    @property
    def recording(self) -> Recording:
        """That they are of."""

    @property
    def keyframes(self) -> Sequence[Keyframe]:
        """One for each sample."""

    def labels(self, index: int) -> Labels:
        """A keyframe's boxes in ref."""

    def __len__(self) -> int:
        """How many."""

    def __getitem__(self, index: int) -> Any:
        """What a detector is asked about."""


class DetectorScores(Protocol):
    """Sums over keyframes."""

    def update(self, prediction: Any, labels: Labels) -> None:
        """Add a keyframe."""

    def compute(self, dataset: KeyframeDataset) -> dict[str, Any]:
        """Scores of all keyframes of a dataset."""


def detections_of(found: DecodedBoxes, batch: Batch) -> Detections:
    """The likely boxes of a batch of one sample."""
    kept = (found.scores[0] >= MIN_SCORE).nonzero().squeeze(1)[:MAX_BOXES]
    return Detections(
        sample_token=batch["sample_token"][0],
        boxes=found.boxes[0][kept].double().cpu().numpy(),
        classes=found.labels[0][kept].cpu().numpy(),
        attributes=found.attributes[0][kept].cpu().numpy(),
        scores=found.scores[0][kept].double().cpu().numpy(),
        T_global_ref=batch["T_global_ref"][0].cpu().numpy(),
    )
