"""One training on pseudo-LiDAR in two halves, and its scores on what it has not seen.

The first half is the same for all variants: depth net and detector learn apart. In the second the depth net is left as
it is, goes on learning from depth, or has the detector's gradient as well. The detector learns as long in all of them,
also on a real lidar.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path

from densegt.batch.executor import SendMessage
from densegt.configuration import overridden
from densegt.detection.checkpoint import read_task
from densegt.detection.fit import TrainingRun, fit
from densegt.detection.train_config import DetectorConfig
from densegt.errors import InputError
from densegt.experiments.curves import curves_of
from densegt.experiments.experiment_config import ExperimentConfig
from densegt.experiments.figures import Figure, figures_of
from densegt.experiments.matrix import RESULT, Result, finished, write_result
from densegt.experiments.pl_variants import LIDAR, PlVariant
from densegt.experiments.trial import LAST, Trial, scores_of

DONE = "about.json"
CURVES = ("detection loss", "depth MAE m")
BANDS = ("0 to 15 m", "15 to 35 m", "35 to 60 m")
AP = tuple(f"{how} AP at {iou}" for how in ("BEV", "3D") for iou in (0.3, 0.5, 0.7))
FIGURES = (
    *(Figure(name, ("cars", name)) for name in AP),
    Figure("nuScenes car AP at 2 m", ("detection", "car AP at 2 m")),
    Figure("NDS", ("detection", "nd_score")),
    Figure("depth MAE m", ("depth", "all", "MAE m"), ("depth", "best constant", "MAE m"), more_is_better=False),
    Figure("depth MAE m near edges", ("depth", "near edges", "MAE m"), more_is_better=False),
    *(Figure(f"depth MAE m, {band}", ("depth", band, "MAE m"), more_is_better=False) for band in BANDS),
)


@dataclass(frozen=True)
class FirstHalf:
    """A training that others begin with.

    Attributes:
        variant: the first that wants it; of its points only whether they are a lidar's counts.
    """

    variant: PlVariant
    seed: int
    experiment: ExperimentConfig

    @property
    def folder(self) -> Path:
        """All that it writes."""
        points = LIDAR if self.variant.points == LIDAR else "pseudo"
        name = f"{self.variant.detector}-{points}-{self.variant.supervision}"
        return self.experiment.out / "beginnings" / name / str(self.seed)

    @property
    def settings(self) -> DetectorConfig:
        """The training's own; images are read in its process, for that one may have no children."""
        return _settings(self.variant, self.seed, self.experiment.config, "separate")


@dataclass(frozen=True)
class PlTrial(Trial):
    """A variant with a seed; see `FirstHalf`."""

    variant: PlVariant

    @property
    def beginning(self) -> FirstHalf:
        """What it goes on from."""
        return FirstHalf(self.variant, self.seed, self.experiment)

    @property
    def settings(self) -> DetectorConfig:
        """The second half's."""
        coupling = "separate" if self.variant.points == LIDAR else self.variant.points
        return _settings(self.variant, self.seed, self.experiment.config, coupling)


def _settings(variant: PlVariant, seed: int, config: DetectorConfig, coupling: str) -> DetectorConfig:
    measured = variant.points == LIDAR
    model = {"detector": variant.detector, "input": "lidar" if measured else "pseudo"}
    supervision = "none" if measured else variant.supervision
    changes = {"seed": seed, "coupling": coupling, "supervision": supervision, "loader_processes": 0, "model": model}
    return overridden(config, changes)


def begin(half: FirstHalf, tell: SendMessage) -> Path:
    """Train the first half, or go on with it; gives its last weights."""
    last = half.folder / LAST
    if not _trained(half.folder, half.settings):
        tell(f"first half: {half.folder.parent.name}, seed {half.seed}")
        sources, resume = half.experiment.sources, last.exists()
        fit(TrainingRun(sources, half.folder, half.settings, resume=resume, devices=1, command="--benchmark"), tell)
    return last


def _trained(folder: Path, config: DetectorConfig) -> bool:
    """Is a training finished there?

    Raises:
        InputError: it was of another configuration.
    """
    path = folder / DONE
    if not path.is_file():
        return False
    if json.loads(path.read_text())["config"] != json.loads(config.model_dump_json()):
        raise InputError(f"{path}: is of another configuration; name another --out")
    return True


def perform_pl(trial: PlTrial, tell: SendMessage) -> Result:
    """Train the second half, or go on with it, and score the last weights; none are chosen by what is held out."""
    done = finished(trial)
    if done is not None:
        return done
    start, folder, config = time.monotonic(), trial.folder, trial.settings
    begun = (folder / LAST).exists()
    init = () if begun else (trial.beginning.folder / LAST,)
    if not _trained(folder, config):
        sources = trial.experiment.sources
        fit(TrainingRun(sources, folder, config, init, resume=begun, devices=1, command="--benchmark"), tell)
    trained = time.monotonic()
    scores = scores_of(trial, read_task(folder / LAST))
    figures, fixed = figures_of(scores, FIGURES)
    result = {
        "variant": trial.variant.name,
        "seed": trial.seed,
        "figures": figures,
        "fixed": fixed,
        "seconds": {"training": trained - start, "scoring": time.monotonic() - trained, "resumed": begun},
        "curves": curves_of(folder / "tensorboard", CURVES),
        "scores": [each for _, each in scores],
        "facts": trial.facts,
    }
    return write_result(folder / RESULT, result)
