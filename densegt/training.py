"""What trainings have in common: Lightning's trainer, an order of samples that can be resumed, refusing to mix runs."""

from __future__ import annotations

import logging
import math
import sys
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from lightning import Callback, Trainer
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch.loggers import TensorBoardLogger
from pydantic import BaseModel
from torch.utils.data import Sampler

from densegt.errors import InputError


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


class ResumableSampler(Sampler[int]):
    """Indices of an epoch, shuffled, each epoch others; every process of several takes its part of them.

    Lightning tells the epoch, also when it goes on with an interrupted training.
    """

    def __init__(self, count: int, seed: int, rank: int, processes: int) -> None:
        self._count, self._seed, self._rank, self._processes = count, seed, rank, processes
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Which comes next."""
        self._epoch = epoch

    def __len__(self) -> int:
        return self._count // self._processes

    def __iter__(self) -> Iterator[int]:
        shuffled = np.random.default_rng((self._seed, self._epoch)).permutation(self._count)
        mine = shuffled[self._rank :: self._processes][: len(self)]
        return iter((self._epoch * self._count + mine).tolist())


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
    counted: Any = int(devices) if str(devices).isdecimal() else devices
    try:
        return Trainer(
            default_root_dir=out, max_epochs=config.epochs, precision=config.precision, devices=counted,
            num_nodes=nodes, accelerator="auto", gradient_clip_val=config.clip_gradient,
            # So that the last epoch is looked at too.
            check_val_every_n_epoch=math.gcd(config.epochs, config.validate_every),
            use_distributed_sampler=False, num_sanity_val_steps=0, log_every_n_steps=10,
            logger=TensorBoardLogger(out, name="", version="tensorboard"), callbacks=list(callbacks),
            enable_model_summary=False, enable_progress_bar=sys.stderr.isatty(), **more,
        )  # fmt: skip
    except (MisconfigurationException, ValueError, TypeError) as error:
        said = str(error).splitlines()[0]
        raise InputError(f"devices {devices}, precision {config.precision}: {said}") from None


def last_checkpoint(out: Path, config: BaseModel, *, resume: bool) -> Path | None:
    """Where to go on; None at the start.

    Raises:
        InputError: a training is in `out` and is not to be resumed, or it was of another configuration; or none is.
    """
    last = out / "checkpoints" / "last.ckpt"
    if not resume:
        if last.exists():
            raise InputError(f"{out}: a training is there already; --resume goes on with it, another --out lets it be")
        return None
    if not last.exists():
        raise InputError(f"{last}: no such checkpoint, so there is nothing to resume; leave --resume out")
    try:
        saved = torch.load(last, map_location="cpu", weights_only=True)["hyper_parameters"]["config"]
    except Exception as error:  # a cut-off file may raise anything
        raise InputError(f"{last}: cannot be read ({error})") from None
    now = config.model_dump()
    for name in sorted(saved.keys() | now.keys()):
        if saved.get(name) != now.get(name):
            raise InputError(
                f"{last}: was trained with {name} {saved.get(name)!r}, not {now.get(name)!r}; "
                "resume with the same configuration, or begin anew with --init"
            )
    return last


def quiet() -> None:
    """Lightning advertises, and warns of its own deprecations and of what was chosen here."""
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module=r"lightning\..*")
