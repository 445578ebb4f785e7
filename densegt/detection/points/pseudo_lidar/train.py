"""Training on pseudo-LiDAR: from nuScenes-format folders and depth stores to a checkpoint."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from lightning import Callback, LightningModule, Trainer, seed_everything
from lightning.fabric.utilities.rank_zero import rank_zero_only
from lightning.pytorch.callbacks import LearningRateMonitor, ModelCheckpoint

from densegt.detection.data.dataset import NuScenesDepth, Supervision
from densegt.detection.data.split import Split, split
from densegt.detection.points.pseudo_lidar.checkpoint import begin_with
from densegt.detection.points.pseudo_lidar.config import PlConfig
from densegt.detection.points.pseudo_lidar.dataset import WithSweep
from densegt.detection.points.pseudo_lidar.task import SCORE, PlTask
from densegt.detection.train import Data, Say, Sources, facts_of, last_line
from densegt.errors import InputError
from densegt.training import last_checkpoint, make_trainer, quiet


@dataclass(frozen=True)
class Run:
    """What to train, and where to; as for train-lss.

    Attributes:
        init: checkpoints to begin with, each for the parts that it has; a later one outdoes an earlier one.
    """

    folders: tuple[Sources, ...]
    out: Path
    config: PlConfig
    init: tuple[Path, ...] = ()
    resume: bool = False
    devices: int | str = "auto"
    nodes: int = 1
    command: str = ""


class Tell(Callback):
    """A line for each validation."""

    def __init__(self, say: Say) -> None:
        self._say = say

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """What was found."""
        if not trainer.is_global_zero:
            return
        found = {name: float(value) for name, value in trainer.callback_metrics.items()}
        depth = f", depth MAE {found['depth MAE m']:.2f} m" if "depth MAE m" in found else ""
        self._say(
            f"epoch {trainer.current_epoch + 1}/{trainer.max_epochs}: {SCORE} {found[SCORE]:.3f}, "
            f"{found['points']:.0f} points a keyframe{depth}"
        )


def train(run: Run, say: Say) -> Path | None:
    """Train, or go on training; gives the checkpoint of the best validation, to the first process of several.

    Raises:
        InputError: there is nothing to learn from, a depth net is to stay as it is and never learned anything, a
            training is in `out` already, or it was of another configuration.
    """
    config = run.config
    check(run)
    last = last_checkpoint(run.out, config, resume=run.resume)
    parts = split([(s.dataroot, s.version) for s in run.folders], config.split, config.validation_share)
    learned, held_out = datasets(run.folders, parts, config)
    rank_zero_only(say)(f"{sum(map(len, learned))} keyframes to learn from, {sum(map(len, held_out))} held out")
    quiet()
    seed_everything(config.seed, workers=True, verbose=False)
    if config.threads:
        torch.set_num_threads(config.threads)
    task = PlTask(config.model_dump())
    for path in run.init:
        rank_zero_only(say)(f"{path}: beginning with its {' and '.join(begin_with(task.net, path))}")
    folder = run.out / "checkpoints"
    best = ModelCheckpoint(folder, "best", monitor=SCORE, enable_version_counter=False)
    # Where to go on, whether or not it was looked at, and whether it is the best.
    newest = ModelCheckpoint(
        folder, "last", every_n_epochs=1, save_on_train_epoch_end=True, enable_version_counter=False
    )
    trainer = make_trainer(
        run.out, config, [best, newest, LearningRateMonitor("step"), Tell(say)], devices=run.devices, nodes=run.nodes
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


def check(run: Run) -> None:
    """Refuse what cannot be meant.

    Raises:
        InputError: see `train`.
    """
    config = run.config
    if config.model.input == "store" and any(sources.depth is None for sources in run.folders):
        raise InputError("input store: points come from a depth store; name one with --depth")
    if config.model.input != "pseudo":
        return
    if config.coupling == "frozen" and not (run.init or run.resume):
        raise InputError("a depth net that learned nothing would stay as it is; name a training of it with --init")
    hard = config.model.detector == "pixor" and config.model.pixor.quantisation == "hard"
    if config.coupling == "end-to-end" and hard:
        raise InputError("end to end: hard voxels pass no gradient to depth; take soft ones")
    if config.coupling == "separate" and config.supervision == "none" and not (run.init or run.resume):
        raise InputError("the depth net would learn from nothing: take --supervision, --end-to-end or --init")


def datasets(
    folders: Sequence[Sources], parts: Sequence[Split], config: PlConfig
) -> tuple[list[NuScenesDepth], list[NuScenesDepth]]:
    """What is learned from, augmented, and what is held out; of both only folders that have some of it."""
    augmentation = config.augmentation.made()
    kind = WithSweep if config.model.input == "lidar" else NuScenesDepth

    def folder(sources: Sources, scenes: tuple[str, ...], *, learn: bool) -> NuScenesDepth:
        supervision: Supervision = config.supervision
        # To be looked at, depth is asked for even where none is learned from; and points may be made of it.
        if supervision == "none" and (not learn or config.model.input == "store"):
            supervision = "sparse" if sources.depth is None else "dense"
        return kind(
            sources.dataroot, sources.depth, supervision=supervision, size=config.model.size,
            augmentation=augmentation if learn else None, ranges=augmentation, version=sources.version, scenes=scenes,
            min_points=config.min_points, keep_images=config.keep_images,
        )  # fmt: skip

    both = list(zip(folders, parts, strict=True))
    learned = [folder(sources, part.learned, learn=True) for sources, part in both if part.learned]
    held_out = [folder(sources, part.held_out, learn=False) for sources, part in both if part.held_out]
    return learned, held_out
