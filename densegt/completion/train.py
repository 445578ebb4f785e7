"""Training: from depth stores to checkpoints, and to the weights that `densegt complete` opens."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
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
from densegt.completion.batches import Crops, Trials
from densegt.completion.checkpoint import read_network, write_weights
from densegt.completion.examples import Sources, keys_of
from densegt.completion.split import ExampleSplit, split
from densegt.completion.task import METHODS, SCORE, TRIAL_NAMES, Batch, CompletionTask
from densegt.completion.train_config import TrainConfig
from densegt.depth.hdf5_file import read_header
from densegt.depth.store import scene_files
from densegt.training.checkpoints import last_checkpoint
from densegt.training.sampler import ResumableSampler, place_of
from densegt.training.sole_writer import sole_writer
from densegt.training.trainer import keep_newest, make_trainer, silence_lightning

Say = Callable[[str], None]


@dataclass(frozen=True)
class Run:
    """What to train, and where to.

    Attributes:
        folders: to learn from; what is held out for validation are the last of them, see `split`.
        init: weights to begin with.
        resume: go on with the training in `out`.
        devices, nodes: as Lightning counts them; "auto" is every GPU of this machine, or its processor.
        command: what was typed, for the record.
    """

    folders: tuple[Sources, ...]
    out: Path
    config: TrainConfig
    init: Path | None = None
    resume: bool = False
    devices: int | str = "auto"
    nodes: int = 1
    command: str = ""


class Data(LightningDataModule):
    """Loaders; each process of several has its part."""

    def __init__(self, parts: ExampleSplit, config: TrainConfig) -> None:
        super().__init__()
        self._parts, self._config = parts, config

    def train_dataloader(self) -> DataLoader[Batch]:
        """Shuffled crops."""
        config, rank, processes = self._config, *place_of(self)
        crops = Crops(self._parts.learned, config.crop, config.draws, config.seed, config.keep_images)
        order = ResumableSampler(len(crops), config.seed, rank, processes)
        return DataLoader(
            crops, config.batch, sampler=order, drop_last=len(order) >= config.batch,
            num_workers=config.loader_processes, persistent_workers=config.loader_processes > 0,
        )  # fmt: skip

    def val_dataloader(self) -> DataLoader[Batch]:
        """Whole images, one by one."""
        held_out, wanted = self._parts.held_out, self._config.validation_images
        rank, processes = place_of(self)
        chosen = held_out[:: -(-len(held_out) // wanted)][rank::processes]
        return DataLoader(Trials(chosen), 1, num_workers=self._config.loader_processes)


class Tell(Callback):
    """A line for each validation."""

    def __init__(self, say: Say) -> None:
        self._say = say

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """RMSE of the network and of what it must beat."""
        if trainer.is_global_zero:
            found = {name: float(value) for name, value in trainer.callback_metrics.items()}
            trials = (
                f"{trial} " + ", ".join(f"{name} {found[f'{trial}/{name} RMSE m']:.2f}" for name in METHODS)
                for trial in TRIAL_NAMES
                if f"{trial}/{METHODS[0]} RMSE m" in found
            )
            self._say(f"epoch {trainer.current_epoch + 1}/{trainer.max_epochs}: RMSE m: {'; '.join(trials)}")


def train(run: Run, say: Say) -> Path | None:
    """Train, or go on training; gives the weights' file, those of the best validation, to the first process of several.

    Raises:
        InputError: there is nothing to learn from, a training is in `out` already, or it was of another configuration.
    """
    with sole_writer(run.out, "training"):
        return _train(run, say)


def _train(run: Run, say: Say) -> Path | None:
    last = last_checkpoint(run.out, run.config, resume=run.resume)
    parts = split(keys_of(run.folders), run.config.validation_share)
    rank_zero_only(say)(f"{len(parts.learned)} images to learn from, {len(parts.held_out)} held out")
    silence_lightning()
    seed_everything(run.config.seed, workers=True, verbose=False)
    if run.config.threads:
        torch.set_num_threads(run.config.threads)
    task = CompletionTask(run.config.model_dump())
    if run.init is not None:
        task.net.load_state_dict(read_network(run.init).state_dict())
    best = ModelCheckpoint(run.out / "checkpoints", "best", monitor=SCORE, enable_version_counter=False)
    callbacks = [best, keep_newest(run.out), LearningRateMonitor("step"), Tell(say)]
    trainer = make_trainer(run.out, run.config, callbacks, devices=run.devices, nodes=run.nodes)
    trainer.fit(task, Data(parts, run.config), ckpt_path=last)
    weights = run.out / "network.safetensors"
    if not trainer.is_global_zero:
        return None
    figures = torch.load(best.best_model_path, map_location="cpu", weights_only=True)["validation"]
    write_weights(read_network(Path(best.best_model_path)), weights, _facts(run, parts, figures))
    return weights


def _facts(run: Run, parts: ExampleSplit, figures: Mapping[str, float]) -> dict[str, Any]:
    """How the weights were made."""
    return {
        "command": run.command,
        "densegt_version": densegt.__version__,
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "config": run.config.model_dump(),
        "init": None if run.init is None else _made_by(run.init),
        "data": [_origin(sources, parts) for sources in run.folders],
        "validation": {name: round(value, 4) for name, value in figures.items()},
    }


def _made_by(weights: Path) -> dict[str, Any]:
    """What is written beside the weights that a training began with."""
    about = weights.with_suffix(".json")
    known = json.loads(about.read_text()) if about.is_file() else {}
    return {
        "file": weights.name,
        **{name: known[name] for name in ("command", "date", "stopped_after") if name in known},
    }


def _origin(sources: Sources, parts: ExampleSplit) -> dict[str, Any]:
    """A folder, its simulation where it is one, and how many of its images were learned from and held out."""
    counts = {
        name: sum(key.sources == sources for key in keys)
        for name, keys in (("learned", parts.learned), ("held_out", parts.held_out))
    }
    simulated = None
    if sources.truth is not None:
        simulated = read_header(scene_files(sources.truth)[0]).config.get("simulate")
    return {"dataroot": sources.dataroot.name, "simulated": simulated, **counts}
