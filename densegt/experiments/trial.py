"""One training of a variant with a seed, and its scores on what it has not seen."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from densegt.depth.partial_file import write_whole
from densegt.detection.data.split import split
from densegt.detection.fit import TrainingSource
from densegt.detection.predict import predictions, validation_dataset
from densegt.detection.prediction import KeyframeDataset
from densegt.detection.task import DetectionTask
from densegt.detection.train_config import DetectorConfig
from densegt.experiments.experiment_config import ExperimentConfig
from densegt.experiments.variant import Variant

LAST = Path("checkpoints") / "last.ckpt"


@dataclass(frozen=True)
class Trial(ABC):
    """A variant with a seed."""

    variant: Variant
    seed: int
    experiment: ExperimentConfig

    @property
    def folder(self) -> Path:
        """All that it writes."""
        return self.experiment.out / "trials" / self.variant.name / str(self.seed)

    @property
    @abstractmethod
    def settings(self) -> DetectorConfig:
        """The training's own; images are read in its process, for that one may have no children."""

    @property
    def facts(self) -> dict[str, Any]:
        """What its figures follow from."""
        data = [
            [str(source.recording.root), str(source.depth), source.recording.version]
            for source in self.experiment.sources
        ]
        return {"config": json.loads(self.settings.model_dump_json()), "data": data}


def scores_of(trial: Trial, task: DetectionTask) -> list[tuple[int, Mapping[str, Any]]]:
    """Of each recording that has held-out scenes: how many keyframes, and their scores; draws one keyframe of each."""
    config, sources = trial.settings, trial.experiment.sources
    found: list[tuple[int, Mapping[str, Any]]] = []
    parts = split([source.recording for source in sources], config.split, config.validation_share)
    for place, (source, part) in enumerate(zip(sources, parts, strict=True)):
        if not part.held_out:
            continue
        dataset, scores = held_out_dataset(task, source, part.held_out), task.scores()
        for index, (prediction, batch) in enumerate(predictions(task, dataset)):
            scores.update(prediction, dataset.labels(index))
            picture = task.picture(prediction, batch) if index == len(dataset) // 2 else None
            if picture is not None:
                write_whole(trial.folder / f"picture-{place}.png", picture.png())
        found.append((len(dataset), scores.compute(dataset)))
    return found


def held_out_dataset(task: DetectionTask, source: TrainingSource, scenes: tuple[str, ...]) -> KeyframeDataset:
    """Held-out scenes with the best depth there is: exact where simulated, else what was measured."""
    exact = source.recording.root / "exact"
    if exact.is_dir():
        return validation_dataset(task, replace(source, depth=exact), scenes=scenes)
    options = task.dataset_options(learned=False, has_depth=source.depth is not None)
    measured = replace(options, supervision="sparse" if source.depth is None else "dense", keep_images=0)
    return task.dataset(source, measured, scenes)
