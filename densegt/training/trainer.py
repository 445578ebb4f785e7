"""Lightning's trainer, as every training here uses it."""

from __future__ import annotations

import logging
import math
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from lightning import Callback, Trainer
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.loggers import TensorBoardLogger

from densegt.batch.executor.kept_memory import keep_freed_memory
from densegt.errors import InputError
from densegt.training.checkpoint_file import WholeCheckpointIO


class TrainingConfig(Protocol):
    """What a trainer must know of a configuration."""

    @property
    def epochs(self) -> int:
        """How often everything is seen."""

    @property
    def precision(self) -> Any:
        """Lightning's name of it."""

    @property
    def clip_gradient(self) -> float:
        """Its largest norm."""

    @property
    def validate_every(self) -> int:
        """So many epochs."""


def make_trainer(
    out: Path,
    config: TrainingConfig,
    callbacks: Sequence[Callback],
    *,
    devices: int | str,
    nodes: int,
    **more: Any,
) -> Trainer:
    """Lightning's trainer, with TensorBoard's log in `out`.

    Args:
        devices, nodes: as Lightning counts them; "auto" is every GPU of this machine, or its processor.
        more: for Lightning's `Trainer`.

    Raises:
        InputError: this machine has no such devices or no such arithmetic.
    """
    # Batches of a size come again and again, here and in the loaders that are forked from here.
    keep_freed_memory()
    counted: Any = int(devices) if str(devices).isdecimal() else devices
    try:
        return Trainer(
            default_root_dir=out, max_epochs=config.epochs, precision=config.precision, devices=counted,
            num_nodes=nodes, accelerator="auto", gradient_clip_val=config.clip_gradient,
            # So that the last epoch is looked at too.
            check_val_every_n_epoch=math.gcd(config.epochs, config.validate_every),
            use_distributed_sampler=False, num_sanity_val_steps=0, log_every_n_steps=10,
            logger=TensorBoardLogger(out, name="", version="tensorboard"), callbacks=list(callbacks),
            plugins=[WholeCheckpointIO()], enable_model_summary=False, enable_progress_bar=sys.stderr.isatty(), **more,
        )  # fmt: skip
    except (MisconfigurationException, ValueError, TypeError) as error:
        said = str(error).splitlines()[0]
        raise InputError(f"devices {devices}, precision {config.precision}: {said}") from None


def keep_newest(out: Path) -> ModelCheckpoint:
    """Where to go on, whether or not it was looked at, and whether it is the best."""
    return ModelCheckpoint(
        out / "checkpoints", "last", every_n_epochs=1, save_on_train_epoch_end=True, enable_version_counter=False
    )


def silence_lightning() -> None:
    """Leave out what Lightning advertises, and its warnings of its own deprecations."""
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module=r"lightning\..*")
