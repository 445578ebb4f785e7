"""Training a detector: from recordings and depth stores to a checkpoint that `densegt predict` opens."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
from lightning import Callback, LightningModule, Trainer, seed_everything
from lightning.fabric.utilities.rank_zero import rank_zero_only
from lightning.pytorch.callbacks import LearningRateMonitor, ModelCheckpoint

import densegt
from densegt.datasets import RecordingPath
from densegt.depth.partial_file import write_whole
from densegt.detection.data.split import Split, split
from densegt.detection.prediction import KeyframeDataset
from densegt.detection.registry import task_type
from densegt.detection.task import DetectionTask
from densegt.detection.train_config import DetectorConfig
from densegt.errors import InputError
from densegt.training.checkpoint_file import load_checkpoint_file
from densegt.training.checkpoints import last_checkpoint
from densegt.training.sole_writer import sole_writer
from densegt.training.trainer import keep_newest, make_trainer, silence_lightning

Report = Callable[[str], None]


@dataclass(frozen=True)
class TrainingSource:
    """A recording to learn from, a depth store made from it, and 2D boxes of its images.

    Attributes:
        boxes_2d: for detectors that are told of them; see `densegt.detection.mono.objects_2d`.
    """

    recording: RecordingPath
    depth: Path | None = None
    boxes_2d: Path | None = None


@dataclass(frozen=True)
class TrainingRun:
    """What to train, and where to.

    Attributes:
        sources: to learn from; what is held out for validation is chosen of them, see `split`.
        init: checkpoints to begin with; a later one outdoes an earlier one.
        resume: go on with the training in `out`.
        devices, nodes: as Lightning counts them.
        command: what was typed, for the record.
    """

    sources: tuple[TrainingSource, ...]
    out: Path
    config: DetectorConfig
    init: tuple[Path, ...] = ()
    resume: bool = False
    devices: int | str = "auto"
    nodes: int = 1
    command: str = ""


class ProgressCallback(Callback):
    """A line for each validation."""

    def __init__(self, report: Report) -> None:
        self._report = report

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """What was found."""
        if trainer.is_global_zero and isinstance(pl_module, DetectionTask):
            found = {name: float(value) for name, value in trainer.callback_metrics.items()}
            epoch = f"epoch {trainer.current_epoch + 1}/{trainer.max_epochs}"
            self._report(f"{epoch}: {pl_module.progress_line(found)}")


def fit(run: TrainingRun, report: Report) -> Path | None:
    """Train, or go on training; gives the checkpoint of the best validation, to the first process of several.

    Raises:
        InputError: there is nothing to learn from, a training is in `out` already, or it was of another configuration.
    """
    task_type(run.config.detector).check(run)
    with sole_writer(run.out, "training"):
        return _fit(run, report)


def _fit(run: TrainingRun, report: Report) -> Path | None:
    config, kind = run.config, task_type(run.config.detector)
    last = last_checkpoint(run.out, config, resume=run.resume)
    parts = split([source.recording for source in run.sources], config.split, config.validation_share)
    silence_lightning()
    seed_everything(config.seed, workers=True, verbose=False)
    if config.threads:
        torch.set_num_threads(config.threads)
    task = kind(config.model_dump())
    learned, held_out = datasets(task, run.sources, parts)
    line = f"{sum(map(len, learned))} keyframes to learn from, {sum(map(len, held_out))} held out"
    counts = task.label_counts(learned)
    if counts is not None:
        counts.require_some()
        line += f"; {counts}"
    rank_zero_only(report)(line)
    for path in run.init:
        rank_zero_only(report)(f"{path}: beginning with its {task.start_from(path)}")
    best = ModelCheckpoint(run.out / "checkpoints", "best", monitor=kind.SCORE, enable_version_counter=False)
    trainer = _trainer(run, best, report)
    try:
        trainer.fit(task, task.data(learned, held_out), ckpt_path=last)
    except InputError as error:
        raise InputError(last_line(error)) from None
    if not trainer.is_global_zero:
        return None
    chosen = Path(best.best_model_path)
    write_whole(run.out / "about.json", json.dumps(_facts(run, parts, chosen), indent=1).encode() + b"\n")
    return chosen


def _trainer(run: TrainingRun, best: ModelCheckpoint, report: Report) -> Trainer:
    callbacks = [best, keep_newest(run.out), LearningRateMonitor("step"), ProgressCallback(report)]
    return make_trainer(
        run.out, run.config, callbacks, devices=run.devices, nodes=run.nodes,
        sync_batchnorm=run.config.sync_batch_norm,
    )  # fmt: skip


def datasets(
    task: DetectionTask, sources: Sequence[TrainingSource], parts: Sequence[Split]
) -> tuple[list[KeyframeDataset], list[KeyframeDataset]]:
    """What is learned from, augmented, and what is held out; of both only recordings that have some of it."""

    def dataset(source: TrainingSource, scenes: tuple[str, ...], *, learned: bool) -> KeyframeDataset:
        options = task.dataset_options(learned=learned, has_depth=source.depth is not None)
        return task.dataset(source, options, scenes)

    both = list(zip(sources, parts, strict=True))
    learned = [dataset(source, part.learned, learned=True) for source, part in both if part.learned]
    held_out = [dataset(source, part.held_out, learned=False) for source, part in both if part.held_out]
    return learned, held_out


def last_line(error: InputError) -> str:
    """What a loader's process said is the last line of its traceback."""
    return str(error).strip().splitlines()[-1].removeprefix("densegt.errors.InputError: ")


def _facts(run: TrainingRun, parts: Sequence[Split], chosen: Path) -> dict[str, Any]:
    """How a checkpoint was made."""
    figures = load_checkpoint_file(chosen)["validation"]
    return {
        "command": run.command,
        "densegt_version": densegt.__version__,
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "config": run.config.model_dump(),
        "data": [
            {"dataroot": source.recording.root.name, "learned": part.learned, "held_out": part.held_out}
            for source, part in zip(run.sources, parts, strict=True)
        ],
        "validation": {name: round(value, 4) for name, value in figures.items()},
    }
