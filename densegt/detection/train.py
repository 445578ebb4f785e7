"""Training: from nuScenes-format folders and depth stores to a checkpoint that `densegt predict` opens."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import torch
from lightning import Callback, LightningDataModule, LightningModule, Trainer, seed_everything
from lightning.fabric.utilities.rank_zero import rank_zero_only
from lightning.pytorch.callbacks import LearningRateMonitor, ModelCheckpoint
from pydantic import BaseModel
from torch.utils.data import ConcatDataset, DataLoader

import densegt
from densegt.detection.bev.task import SCORE, LssTask
from densegt.detection.checkpoint import read_task
from densegt.detection.data.dataset import Batch, Draws, NuScenesDepth, Supervision
from densegt.detection.data.split import Split, split
from densegt.detection.train_config import LssConfig
from densegt.errors import InputError
from densegt.training import ResumableSampler, last_checkpoint, make_trainer, quiet

Say = Callable[[str], None]


@dataclass(frozen=True)
class Sources:
    """Folders that belong together: nuScenes' format, and a depth store made from it."""

    dataroot: Path
    depth: Path | None = None
    version: str | None = None


@dataclass(frozen=True)
class Run:
    """What to train, and where to.

    Attributes:
        folders: to learn from; what is held out for validation is chosen of them, see `split`.
        init: a checkpoint to begin with.
        resume: go on with the training in `out`.
        devices, nodes: as Lightning counts them.
        command: what was typed, for the record.
    """

    folders: tuple[Sources, ...]
    out: Path
    config: LssConfig
    init: Path | None = None
    resume: bool = False
    devices: int | str = "auto"
    nodes: int = 1
    command: str = ""


class LoaderConfig(Protocol):
    """What loaders must know of a configuration."""

    @property
    def seed(self) -> int:
        """Of order and augmentation."""

    @property
    def batch(self) -> int:
        """Keyframes of one."""

    @property
    def loader_processes(self) -> int:
        """0 loads in the training's own."""


class Data(LightningDataModule):
    """Loaders; each process of several has its part."""

    def __init__(
        self, learned: Sequence[NuScenesDepth], held_out: Sequence[NuScenesDepth], config: LoaderConfig
    ) -> None:
        super().__init__()
        self._learned, self._held_out, self._config = learned, held_out, config

    def train_dataloader(self) -> DataLoader[Batch]:
        """Shuffled keyframes, augmented."""
        config, rank, processes = self._config, *self._place()
        draws = Draws(self._learned, config.seed)
        order = ResumableSampler(len(draws), config.seed, rank, processes)
        return DataLoader(
            draws, config.batch, sampler=order, drop_last=len(order) >= config.batch,
            num_workers=config.loader_processes, persistent_workers=config.loader_processes > 0,
        )  # fmt: skip

    def val_dataloader(self) -> DataLoader[Batch]:
        """Keyframes as they are."""
        rank, processes = self._place()
        all_of_them: ConcatDataset[Batch] = ConcatDataset(self._held_out)
        mine = torch.utils.data.Subset(all_of_them, range(rank, len(all_of_them), processes))
        return DataLoader(mine, self._config.batch, num_workers=self._config.loader_processes)

    def _place(self) -> tuple[int, int]:
        """Which process this is, of how many."""
        return (self.trainer.global_rank, self.trainer.world_size) if self.trainer else (0, 1)


class Tell(Callback):
    """A line for each validation."""

    def __init__(self, say: Say) -> None:
        self._say = say

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """IoU beside that of saying yes everywhere, and the depth error."""
        if trainer.is_global_zero:
            found = {name: float(value) for name, value in trainer.callback_metrics.items()}
            self._say(
                f"epoch {trainer.current_epoch + 1}/{trainer.max_epochs}: vehicle IoU {found['vehicle IoU']:.3f} "
                f"(everywhere {found['IoU of everywhere']:.3f}), depth MAE {found['depth MAE m']:.2f} m, "
                f"{SCORE} {found[SCORE]:.3f}"
            )


def train(run: Run, say: Say) -> Path | None:
    """Train, or go on training; gives the checkpoint of the best validation, to the first process of several.

    Raises:
        InputError: there is nothing to learn from, a training is in `out` already, or it was of another configuration.
    """
    config = run.config
    last = last_checkpoint(run.out, config, resume=run.resume)
    parts = split([(s.dataroot, s.version) for s in run.folders], config.split, config.validation_share)
    learned, held_out = datasets(run.folders, parts, config)
    rank_zero_only(say)(f"{sum(map(len, learned))} keyframes to learn from, {sum(map(len, held_out))} held out")
    quiet()
    seed_everything(config.seed, workers=True, verbose=False)
    if config.threads:
        torch.set_num_threads(config.threads)
    task = LssTask(config.model_dump())
    if run.init is not None:
        _begin_with(task, run.init)
    folder = run.out / "checkpoints"
    best = ModelCheckpoint(folder, "best", monitor=SCORE, enable_version_counter=False)
    # Where to go on, whether or not it was looked at, and whether it is the best.
    newest = ModelCheckpoint(
        folder, "last", every_n_epochs=1, save_on_train_epoch_end=True, enable_version_counter=False
    )
    callbacks = [best, newest, LearningRateMonitor("step"), Tell(say)]
    trainer = make_trainer(
        run.out, config, callbacks, devices=run.devices, nodes=run.nodes, sync_batchnorm=config.sync_batch_norm
    )
    try:
        trainer.fit(task, Data(learned, held_out, config), ckpt_path=last)
    except InputError as error:
        raise InputError(last_line(error)) from None
    if not trainer.is_global_zero:
        return None
    chosen = Path(best.best_model_path)
    (run.out / "about.json").write_text(
        json.dumps(facts_of(run.command, run.config, run.folders, parts, chosen), indent=1) + "\n"
    )
    return chosen


def datasets(
    folders: Sequence[Sources], parts: Sequence[Split], config: LssConfig
) -> tuple[list[NuScenesDepth], list[NuScenesDepth]]:
    """What is learned from, augmented, and what is held out; of both only folders that have some of it."""
    augmentation = config.augmentation.made()

    def folder(sources: Sources, scenes: tuple[str, ...], *, learn: bool) -> NuScenesDepth:
        supervision: Supervision = config.supervision
        # To be looked at, depth is asked for even where none is learned from.
        if not learn and supervision == "none":
            supervision = "sparse" if sources.depth is None else "dense"
        return NuScenesDepth(
            sources.dataroot, sources.depth, supervision=supervision, size=config.model.size,
            augmentation=augmentation if learn else None, ranges=augmentation,
            draw_cameras=config.draw_cameras if learn else 0, previous=config.model.frames == 2,
            with_sweep=config.model.edge_input,
            version=sources.version, scenes=scenes, min_points=config.min_points, keep_images=config.keep_images,
        )  # fmt: skip

    both = list(zip(folders, parts, strict=True))
    learned = [folder(sources, part.learned, learn=True) for sources, part in both if part.learned]
    held_out = [folder(sources, part.held_out, learn=False) for sources, part in both if part.held_out]
    return learned, held_out


def _begin_with(task: LssTask, path: Path) -> None:
    """Another training's weights.

    Raises:
        InputError: they are of another network.
    """
    try:
        task.net.load_state_dict(read_task(path).net.state_dict())
    except RuntimeError as error:
        raise InputError(f"{path}: of another network ({str(error).splitlines()[0]})") from None


def last_line(error: InputError) -> str:
    """What a loader's process said is the last line of its traceback."""
    return str(error).strip().splitlines()[-1].removeprefix("densegt.errors.InputError: ")


def facts_of(
    command: str, config: BaseModel, folders: Sequence[Sources], parts: Sequence[Split], chosen: Path
) -> dict[str, Any]:
    """How a checkpoint was made."""
    figures = torch.load(chosen, map_location="cpu", weights_only=True)["validation"]
    return {
        "command": command,
        "densegt_version": densegt.__version__,
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "config": config.model_dump(),
        "data": [
            {"dataroot": s.dataroot.name, "learned": part.learned, "held_out": part.held_out}
            for s, part in zip(folders, parts, strict=True)
        ],
        "validation": {name: round(value, 4) for name, value in figures.items()},
    }
