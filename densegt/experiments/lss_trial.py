"""One training and its scores on what it has not seen; what is finished is not done again."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2

from densegt.batch.executor import Tell
from densegt.configuration import overridden
from densegt.detection.bev.task import LssTask
from densegt.detection.checkpoint import read_task
from densegt.detection.data.dataset import NuScenesDepth
from densegt.detection.data.split import split
from densegt.detection.infer import predict
from densegt.detection.picture import draw
from densegt.detection.predict import to_look_at
from densegt.detection.scoring.scores import Scores
from densegt.detection.train import Run, Sources, train
from densegt.detection.train_config import LssConfig
from densegt.experiments.curves import curves_of
from densegt.experiments.figures import figures_of
from densegt.experiments.lss_variants import LssVariant
from densegt.experiments.matrix import RESULT as RESULT
from densegt.experiments.matrix import finished as finished
from densegt.experiments.matrix import write_result


@dataclass(frozen=True)
class Trial:
    """An arm with a seed.

    Attributes:
        out: of the whole benchmark.
        config: that of all trials, but for arm and seed.
    """

    arm: LssVariant
    seed: int
    folders: tuple[Sources, ...]
    out: Path
    config: LssConfig

    @property
    def folder(self) -> Path:
        """All that it writes."""
        return self.out / "trials" / self.arm.name / str(self.seed)

    @property
    def settings(self) -> LssConfig:
        """The training's own; images are read in its process, for that one may have no children."""
        model = {"bins": {"kind": self.arm.bins}, "sampling": self.arm.sampling}
        changes = {"seed": self.seed, "supervision": self.arm.supervision, "loader_processes": 0, "model": model}
        return overridden(self.config, changes)

    @property
    def facts(self) -> dict[str, Any]:
        """What its figures follow from."""
        data = [[str(s.dataroot), str(s.depth), s.version] for s in self.folders]
        return {"config": json.loads(self.settings.model_dump_json()), "data": data}


def perform(trial: Trial, tell: Tell) -> dict[str, Any]:
    """Train, or go on training, and score the last weights; none are chosen by what is held out.

    Returns:
        The result, which also stands in the trial's folder: `figures`, `fixed` (the best fixed answers'), `seconds`.
    """
    done = finished(trial)
    if done is not None:
        return done
    start, folder, config = time.monotonic(), trial.folder, trial.settings
    begun = (folder / "checkpoints" / "last.ckpt").exists()
    train(Run(trial.folders, folder, config, resume=begun, devices=1, command="--benchmark"), tell)
    trained = time.monotonic()
    figures, fixed, scores = _scored(trial, read_task(folder / "checkpoints" / "last.ckpt"))
    result = {
        "arm": trial.arm.name,
        "seed": trial.seed,
        "figures": figures,
        "fixed": fixed,
        "seconds": {"training": trained - start, "scoring": time.monotonic() - trained, "resumed": begun},
        "curves": curves_of(folder / "tensorboard"),
        "scores": scores,
        "facts": trial.facts,
    }
    return write_result(folder / RESULT, result)


def _scored(trial: Trial, task: LssTask) -> tuple[dict[str, float], dict[str, float], list[Mapping[str, Any]]]:
    config, scores = trial.settings, []
    parts = split([(s.dataroot, s.version) for s in trial.folders], config.split, config.validation_share)
    for place, (sources, part) in enumerate(zip(trial.folders, parts, strict=True)):
        if not part.held_out:
            continue
        dataset = truth_of(sources, part.held_out, config)
        sums = Scores(config)
        for said in predict(task, dataset):
            sums.update(said)
            if said.index == len(dataset) // 2:
                picture = draw(said, task.net.lift.grid)
                cv2.imwrite(str(trial.folder / f"picture-{place}.png"), picture[..., ::-1])
        scores.append((len(dataset), sums.compute(dataset)))
    return *figures_of(scores), [each for _, each in scores]


def truth_of(sources: Sources, scenes: tuple[str, ...], config: LssConfig) -> NuScenesDepth:
    """Held-out scenes with the best depth there is: exact where simulated, else what was measured."""
    exact = sources.dataroot / "exact"
    if exact.is_dir():
        return to_look_at(config, sources.dataroot, exact, sources.version, scenes)
    return NuScenesDepth(
        sources.dataroot, sources.depth, supervision="sparse" if sources.depth is None else "dense",
        size=config.model.size, ranges=config.augmentation.made(), previous=config.model.frames == 2,
        version=sources.version, scenes=scenes, min_points=config.min_points,
    )  # fmt: skip
