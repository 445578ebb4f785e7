"""Opening what a training wrote."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import nn

from densegt.detection.bev.task import LssTask
from densegt.errors import InputError

Task = TypeVar("Task", bound=nn.Module)


def read_task(path: Path) -> LssTask:
    """The network of a checkpoint of train-lss with its configuration, ready to answer.

    Raises:
        InputError: there is no such file, it is damaged, or it holds something else.
    """

    def made(config: dict[str, Any]) -> LssTask:
        # Weights to begin with need not be fetched again: they are in the file.
        return LssTask({**config, "model": {**config["model"], "pretrained": False}})

    return read(path, made, "train-lss")


def on_points(path: Path) -> bool:
    """Was a checkpoint written by train-pl? One that cannot be read was not."""
    try:
        config = torch.load(path, map_location="cpu", weights_only=True, mmap=True)["hyper_parameters"]["config"]
        return "detector" in config["model"]
    except Exception:  # whoever opens it says what is wrong with it
        return False


def read(path: Path, made: Callable[[dict[str, Any]], Task], command: str) -> Task:
    """The network of a checkpoint, as `made` makes it of a configuration; `command` is who wrote it.

    Raises:
        InputError: as for `read_task`.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such checkpoint")
    try:
        saved = torch.load(path, map_location="cpu", weights_only=True)
        task = made(saved["hyper_parameters"]["config"])
        task.load_state_dict(saved["state_dict"])
    except (OSError, RuntimeError, ValueError, KeyError, TypeError, EOFError, pickle.UnpicklingError) as error:
        why = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"{path}: not a checkpoint of {command} ({why})") from None
    if not all(bool(torch.isfinite(tensor).all()) for tensor in task.state_dict().values()):
        raise InputError(f"{path}: a weight is not finite; the training went astray")
    return task.eval()
