"""One training on pseudo-LiDAR in two halves, and its scores on what it has not seen.

The first half is the same for all ways to go on: depth net and detector learn apart. In the second the depth net is
left as it is, goes on learning from depth, or is told by the detector as well. The detector learns as long in all of
them, also on a real lidar.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from densegt.batch.executor import Tell
from densegt.configuration import overridden
from densegt.detection.data.split import split
from densegt.detection.points.pseudo_lidar.checkpoint import read_pl_task
from densegt.detection.points.pseudo_lidar.config import PlConfig
from densegt.detection.points.pseudo_lidar.evaluate import PlScores, devkit_scores, predict, to_look_at
from densegt.detection.points.pseudo_lidar.train import Run, train
from densegt.detection.scoring.scores import at
from densegt.detection.train import Sources
from densegt.errors import InputError
from densegt.experiments.curves import curves_of
from densegt.experiments.figures import Figure, figures_of
from densegt.experiments.matrix import RESULT, Result, finished, write_result
from densegt.experiments.pl_variants import LIDAR, PlVariant

LAST = Path("checkpoints") / "last.ckpt"
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
class Half:
    """A training that others begin with.

    Attributes:
        arm: the first that wants it; of its points only whether they are a lidar's counts.
        out: of the whole benchmark.
    """

    arm: PlVariant
    seed: int
    folders: tuple[Sources, ...]
    out: Path
    config: PlConfig

    @property
    def folder(self) -> Path:
        """All that it writes."""
        points = LIDAR if self.arm.points == LIDAR else "pseudo"
        return self.out / "beginnings" / f"{self.arm.detector}-{points}-{self.arm.supervision}" / str(self.seed)

    @property
    def settings(self) -> PlConfig:
        """The training's own; images are read in its process, for that one may have no children."""
        return _settings(self.arm, self.seed, self.config, "separate")


@dataclass(frozen=True)
class PlTrial:
    """An arm with a seed; see `Half`."""

    arm: PlVariant
    seed: int
    folders: tuple[Sources, ...]
    out: Path
    config: PlConfig

    @property
    def folder(self) -> Path:
        """All that it writes."""
        return self.out / "trials" / self.arm.name / str(self.seed)

    @property
    def beginning(self) -> Half:
        """What it goes on from."""
        return Half(self.arm, self.seed, self.folders, self.out, self.config)

    @property
    def settings(self) -> PlConfig:
        """The second half's."""
        coupling = "separate" if self.arm.points == LIDAR else self.arm.points
        return _settings(self.arm, self.seed, self.config, coupling)

    @property
    def facts(self) -> dict[str, Any]:
        """What its figures follow from."""
        data = [[str(s.dataroot), str(s.depth), s.version] for s in self.folders]
        return {"config": json.loads(self.settings.model_dump_json()), "data": data}


def _settings(arm: PlVariant, seed: int, config: PlConfig, coupling: str) -> PlConfig:
    measured = arm.points == LIDAR
    model = {"detector": arm.detector, "input": "lidar" if measured else "pseudo"}
    supervision = "none" if measured else arm.supervision
    changes = {"seed": seed, "coupling": coupling, "supervision": supervision, "loader_processes": 0, "model": model}
    return overridden(config, changes)


def begin(half: Half, tell: Tell) -> Path:
    """Train the first half, or go on with it; gives its last weights."""
    last = half.folder / LAST
    if not _trained(half.folder, half.settings):
        tell(f"first half: {half.folder.parent.name}, seed {half.seed}")
        run = Run(half.folders, half.folder, half.settings, resume=last.exists(), devices=1, command="--benchmark")
        train(run, tell)
    return last


def _trained(folder: Path, config: PlConfig) -> bool:
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


def perform_pl(trial: PlTrial, tell: Tell) -> Result:
    """Train the second half, or go on with it, and score the last weights; none are chosen by what is held out."""
    done = finished(trial)
    if done is not None:
        return done
    start, folder, config = time.monotonic(), trial.folder, trial.settings
    begun = (folder / LAST).exists()
    init = () if begun else (trial.beginning.folder / LAST,)
    if not _trained(folder, config):
        train(Run(trial.folders, folder, config, init, resume=begun, devices=1, command="--benchmark"), tell)
    trained = time.monotonic()
    scores = _scored(trial)
    figures, fixed = figures_of(scores, FIGURES)
    result = {
        "arm": trial.arm.name,
        "seed": trial.seed,
        "figures": figures,
        "fixed": fixed,
        "seconds": {"training": trained - start, "scoring": time.monotonic() - trained, "resumed": begun},
        "curves": curves_of(folder / "tensorboard", CURVES),
        "scores": [each for _, each in scores],
        "facts": trial.facts,
    }
    return write_result(folder / RESULT, result)


def _scored(trial: PlTrial) -> list[tuple[int, Mapping[str, Any]]]:
    """Keyframes and scores of each folder; but for the devkit's, these are of all folders together."""
    config, task = trial.settings, read_pl_task(trial.folder / LAST)
    parts = split([(s.dataroot, s.version) for s in trial.folders], config.split, config.validation_share)
    sums, each = PlScores(config), []
    for sources, part in zip(trial.folders, parts, strict=True):
        if not part.held_out:
            continue
        exact = sources.dataroot / "exact"
        truth = exact if exact.is_dir() else sources.depth
        dataset = to_look_at(config, sources.dataroot, truth, version=sources.version, scenes=part.held_out)
        found = []
        for said in predict(task, dataset):
            sums.update(said, dataset.labels(said.index))
            found.append(said.found)
        nuscenes = devkit_scores(found, dataset, config)
        nuscenes["car AP at 2 m"] = at(nuscenes["label_aps"]["car"], "2.0")
        each.append((len(dataset), nuscenes))
    return [(count, {**sums.compute(), "detection": nuscenes}) for count, nuscenes in each]
