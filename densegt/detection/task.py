"""DetectionTask: what `fit` and `predict` ask of a detector, whichever it is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np
import torch
from lightning import LightningDataModule, LightningModule
from torch import Tensor

from densegt.detection.data.depth_dataset import DatasetOptions, DepthDataset
from densegt.detection.data.loaders import DetectionData
from densegt.detection.prediction import DetectorScores, KeyframeDataset, Picture, Prediction
from densegt.detection.train_config import DetectorConfig

if TYPE_CHECKING:
    from densegt.detection.fit import TrainingRun, TrainingSource


class Counts(Protocol):
    """Of what there is to learn from; its text is for whoever trains."""

    def require_some(self) -> None:
        """Refuse to train on nothing.

        Raises:
            InputError: there is nothing to learn from.
        """


class DetectionTask(LightningModule, ABC):
    """Lightning's view of a detector: a network with its configuration.

    Attributes:
        COMMAND: that trains it.
        SCORE: of the validation, by which the best weights are chosen; less is better.
    """

    COMMAND: ClassVar[str]
    SCORE: ClassVar[str]
    settings: DetectorConfig

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__()
        self.save_hyperparameters({"config": config})
        self._ratios: dict[str, Tensor] = {}

    @classmethod
    @abstractmethod
    def of_checkpoint(cls, config: dict[str, Any]) -> DetectionTask:
        """A task of a saved configuration; weights to begin with are not fetched, for they are in the file."""

    @classmethod
    def check(cls, run: TrainingRun) -> None:
        """Refuse a training that cannot be meant.

        Raises:
            InputError: it would learn nothing, or from what is not there.
        """
        return None

    @abstractmethod
    def dataset_options(self, *, learned: bool, has_depth: bool) -> DatasetOptions:
        """What samples must have, to learn from or to validate on; `has_depth` tells of a depth store."""

    def dataset(self, source: TrainingSource, options: DatasetOptions, scenes: Sequence[str] | None) -> KeyframeDataset:
        """Keyframes of a recording; all scenes where none are named."""
        return DepthDataset(source.recording, source.depth, options, scenes=scenes)

    def data(self, learned: Sequence[Any], held_out: Sequence[Any]) -> LightningDataModule:
        """Loaders of what `dataset` made."""
        return DetectionData(learned, held_out, self.settings)

    @abstractmethod
    def label_counts(self, datasets: Sequence[Any]) -> Counts | None:
        """Of what is to be learned from; None where no labels are needed."""

    @abstractmethod
    def start_from(self, path: Path) -> str:
        """Take over the weights of a checkpoint; gives what was taken.

        Raises:
            InputError: it is of another network, or cannot be read.
        """

    @abstractmethod
    def progress_line(self, metrics: Mapping[str, float]) -> str:
        """What a validation found, in words."""

    @abstractmethod
    def prediction(self, batch: Any) -> Prediction:
        """What is said of a batch of one sample, on the device that the network is on."""

    @abstractmethod
    def picture(self, prediction: Any, batch: Any) -> Picture | None:
        """What is said of a batch of one sample; None where there is nothing to see."""

    @abstractmethod
    def scores(self) -> DetectorScores:
        """New sums."""

    @property
    @abstractmethod
    def estimates_depth(self) -> bool:
        """Whether predictions have depth."""

    @property
    def needs_depth(self) -> bool:
        """Whether samples must have depth to be answered or scored; it may be the lidar's."""
        return True

    @property
    @abstractmethod
    def reads_lidar(self) -> bool:
        """Whether a lidar is an input, not only what was learned from."""

    def on_train_batch_start(self, batch: Any, batch_idx: int) -> None:
        """Draw in each step what seed and step say, so that a resumed training draws what an uninterrupted one does."""
        state = np.random.SeedSequence((self.settings.seed, self.trainer.global_step, self.global_rank))
        torch.manual_seed(int(state.generate_state(1)[0]))

    def add_ratio(self, name: str, above: Tensor, below: Tensor) -> None:
        """Add a batch to a metric of the validation that is a quotient of two sums."""
        both = torch.stack([above.double(), below.double()])
        self._ratios[name] = self._ratios.get(name, torch.zeros_like(both)) + both

    def on_validation_epoch_end(self) -> None:
        """Log the quotients over all processes."""
        found = {}
        for name, both in self._ratios.items():
            above, below = torch.as_tensor(self.all_gather(both)).reshape(-1, 2).sum(0).unbind()
            found[name] = (above / below.clamp(min=1e-9)).float()
        self.log_dict(found, sync_dist=False)
        self._ratios.clear()

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keep what validation found of these very weights."""
        found = self.trainer.callback_metrics
        checkpoint["validation"] = {n: float(v) for n, v in found.items() if not n.startswith(("train/", "lr-"))}
