"""One training of a Lift-Splat detector and its scores; what is finished is not done again."""

from __future__ import annotations

import time
from dataclasses import dataclass

from densegt.batch.executor import SendMessage
from densegt.configuration import overridden
from densegt.detection.checkpoint import read_task
from densegt.detection.fit import TrainingRun, fit
from densegt.detection.train_config import DetectorConfig
from densegt.experiments.curves import curves_of
from densegt.experiments.figures import figures_of
from densegt.experiments.lss_variants import LssVariant
from densegt.experiments.matrix import RESULT, Result, finished, write_result
from densegt.experiments.trial import LAST, Trial, scores_of


@dataclass(frozen=True)
class LssTrial(Trial):
    """A variant with a seed."""

    variant: LssVariant

    @property
    def settings(self) -> DetectorConfig:
        """See `Trial`."""
        model = {"bins": {"kind": self.variant.bins}, "sampling": self.variant.sampling}
        changes = {"seed": self.seed, "supervision": self.variant.supervision, "loader_processes": 0, "model": model}
        return overridden(self.experiment.config, changes)


def perform(trial: LssTrial, tell: SendMessage) -> Result:
    """Train, or go on training, and score the last weights; none are chosen by what is held out.

    Returns:
        The result, which also stands in the trial's folder: `figures`, `fixed` (the best fixed answers'), `seconds`.
    """
    done = finished(trial)
    if done is not None:
        return done
    start, folder = time.monotonic(), trial.folder
    begun = (folder / LAST).exists()
    sources = trial.experiment.sources
    fit(TrainingRun(sources, folder, trial.settings, resume=begun, devices=1, command="--benchmark"), tell)
    trained = time.monotonic()
    scores = scores_of(trial, read_task(folder / LAST))
    figures, fixed = figures_of(scores)
    result = {
        "variant": trial.variant.name,
        "seed": trial.seed,
        "figures": figures,
        "fixed": fixed,
        "seconds": {"training": trained - start, "scoring": time.monotonic() - trained, "resumed": begun},
        "curves": curves_of(folder / "tensorboard"),
        "scores": [each for _, each in scores],
        "facts": trial.facts,
    }
    return write_result(folder / RESULT, result)
