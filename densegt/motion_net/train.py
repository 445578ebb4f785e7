"""Training: from recordings to checkpoints, and to the weights that `densegt predict-motion` opens."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
from lightning import Callback, LightningDataModule, LightningModule, Trainer, seed_everything
from lightning.fabric.utilities.rank_zero import rank_zero_only
from lightning.pytorch.callbacks import LearningRateMonitor, ModelCheckpoint
from torch.utils.data import DataLoader

import densegt
from densegt.accumulation.config import AccumulateConfig
from densegt.datasets import RecordingPath
from densegt.errors import InputError
from densegt.motion_net.checkpoint import read_network, write_weights
from densegt.motion_net.config import MotionTrainConfig
from densegt.motion_net.dataset import Collate, HeldOutScans, LearnedScans, ScanKey
from densegt.motion_net.head import fit_head
from densegt.motion_net.scene_data import SceneData, read_scenes
from densegt.motion_net.task import SCORE, MotionTask
from densegt.training.checkpoints import last_checkpoint
from densegt.training.sampler import ResumableSampler, place_of
from densegt.training.sole_writer import sole_writer
from densegt.training.trainer import keep_newest, make_trainer, silence_lightning

Say = Callable[[str], None]
WEIGHTS = "motion.safetensors"


@dataclass(frozen=True)
class MotionRun:
    """What to train, and where to.

    Attributes:
        recordings: to learn from; the last of their scenes are held out for validation.
        init: weights to begin with.
        resume: go on with the training in `out`.
        devices, nodes: as Lightning counts them.
        command: what was typed, for the record.
        votes: of a network of an earlier round, a store for each recording, for automatic labels.
    """

    recordings: tuple[RecordingPath, ...]
    out: Path
    config: MotionTrainConfig
    init: Path | None = None
    resume: bool = False
    devices: int | str = "auto"
    nodes: int = 1
    command: str = ""
    votes: tuple[Path, ...] = ()


@dataclass(frozen=True)
class SceneSplit:
    """Scenes to learn from, and those held out; of a lone scene the scans of its last part."""

    learned: tuple[SceneData, ...]
    held_out: tuple[SceneData, ...]
    keys: tuple[ScanKey, ...]


def split_scenes(scenes: Sequence[SceneData], config: MotionTrainConfig) -> SceneSplit:
    """The last scenes, and some of their scans, are held out; a lone scene is learned from and looked at."""
    count = max(1, round(len(scenes) * config.validation_share)) if len(scenes) > 1 else 0
    learned, held_out = scenes[: len(scenes) - count], scenes[len(scenes) - count :] or scenes
    keys = [ScanKey(s, k) for s, data in enumerate(held_out) for k in range(len(data.scans))]
    step = -(-len(keys) // config.validation_scans)
    return SceneSplit(tuple(learned), tuple(held_out), tuple(keys[step // 2 :: step]))


class MotionData(LightningDataModule):
    """Loaders; each process of several has its part."""

    def __init__(self, scenes: SceneSplit, config: MotionTrainConfig) -> None:
        super().__init__()
        self._scenes, self._config = scenes, config

    def train_dataloader(self) -> DataLoader[Any]:
        """Shuffled scans."""
        config, (rank, processes) = self._config, place_of(self)
        scans = LearnedScans(
            self._scenes.learned, config.net, every=config.every, points=config.points, seed=config.seed,
            crop_m=config.crop_m,
        )  # fmt: skip
        order = ResumableSampler(len(scans), config.seed, rank, processes)
        shown = config.net if config.crop_m is None else config.net.model_copy(update={"reach_m": config.crop_m})
        return DataLoader(
            scans, config.batch, sampler=order, drop_last=len(order) >= config.batch, collate_fn=Collate(shown)
        )

    def val_dataloader(self) -> DataLoader[Any]:
        """Scans held out, one by one."""
        rank, processes = place_of(self)
        scans = HeldOutScans(self._scenes.held_out, self._scenes.keys[rank::processes], self._config.net)
        return DataLoader(scans, 1, collate_fn=Collate(self._config.net))


class Tell(Callback):
    """A line for each validation."""

    def __init__(self, say: Say) -> None:
        self._say = say

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Scores."""
        if trainer.is_global_zero:
            found = {name: float(value) for name, value in trainer.callback_metrics.items()}
            self._say(f"epoch {trainer.current_epoch + 1}/{trainer.max_epochs}: {line_of(found)}")


def train(run: MotionRun, say: Say) -> Path | None:
    """Train, or go on training; gives the weights' file, those of the best validation, to the first process of several.

    Raises:
        InputError: there is nothing to learn from, a training is in `out` already, or it was of another configuration.
    """
    with sole_writer(run.out, "training"):
        return _train(run, say)


def _train(run: MotionRun, say: Say) -> Path | None:
    last = last_checkpoint(run.out, run.config, resume=run.resume)
    said: Say = rank_zero_only(say)
    read = read_scenes(run.recordings, run.config.labels, AccumulateConfig(), said, votes=run.votes)
    scenes = split_scenes(read, run.config)
    if not any((data.labels.moving == 1).any() for data in scenes.learned):
        raise InputError(f"{run.recordings[0].root}: nothing in it moves by --labels {run.config.labels}")
    said(f"{len(scenes.learned)} scenes to learn from, {len(scenes.keys)} scans of {len(scenes.held_out)} looked at")
    silence_lightning()
    seed_everything(run.config.seed, workers=True, verbose=False)
    if run.config.threads:
        torch.set_num_threads(run.config.threads)
    task = MotionTask(run.config.model_dump())
    if run.init is not None:
        task.net.load_state_dict(read_network(run.init).state_dict())
    elif last is None and run.config.head_steps:
        fit_head(task.net, scenes.learned, run.config)
        said(f"head: {run.config.head_steps} steps by points alone")
    if not run.config.epochs:
        return None if getattr(rank_zero_only, "rank", 0) else _head_alone(run, task, scenes, said)
    best = ModelCheckpoint(run.out / "checkpoints", "best", monitor=SCORE, mode="max", enable_version_counter=False)
    callbacks = [best, keep_newest(run.out), LearningRateMonitor("step"), Tell(say)]
    trainer = make_trainer(run.out, run.config, callbacks, devices=run.devices, nodes=run.nodes)
    trainer.fit(task, MotionData(scenes, run.config), ckpt_path=last)
    if not trainer.is_global_zero:
        return None
    figures = torch.load(best.best_model_path, map_location="cpu", weights_only=True)["validation"]
    weights = run.out / WEIGHTS
    write_weights(read_network(Path(best.best_model_path)), weights, _facts(run, scenes, figures))
    return weights


def _head_alone(run: MotionRun, task: MotionTask, scenes: SceneSplit, say: Say) -> Path:
    """Write a network whose map says nothing, and how good it is on the scans held out."""
    task.eval()
    with torch.inference_mode():
        for given in DataLoader(
            HeldOutScans(scenes.held_out, scenes.keys, run.config.net), 1, collate_fn=Collate(run.config.net)
        ):
            task.validation_step(given, 0)
    figures = task.figures()
    say(line_of(figures))
    write_weights(task.net, run.out / WEIGHTS, _facts(run, scenes, figures))
    return run.out / WEIGHTS


def line_of(found: Mapping[str, float]) -> str:
    """Scores in a line."""
    return (
        f"moving IoU {found[SCORE]:.1f}, precision {found['moving precision']:.1f}, recall "
        f"{found['moving recall']:.1f}, objects found {found['objects found']:.1f}, mIoU of classes "
        f"{found['mIoU of classes']:.1f} %"
    )


def _facts(run: MotionRun, scenes: SceneSplit, figures: Mapping[str, float]) -> dict[str, Any]:
    """How the weights were made."""
    return {
        "command": run.command,
        "densegt_version": densegt.__version__,
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "config": run.config.model_dump(),
        "learned": [data.name for data in scenes.learned],
        "held_out": [data.name for data in scenes.held_out],
        "validation": {name: round(value, 3) for name, value in figures.items()},
    }
