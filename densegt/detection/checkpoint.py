"""Opening what a training wrote."""

from __future__ import annotations

import pickle
from pathlib import Path

import torch

from densegt.detection.task import LssTask
from densegt.errors import InputError


def read_task(path: Path) -> LssTask:
    """The network of a checkpoint with its configuration, ready to answer.

    Raises:
        InputError: there is no such file, it is damaged, or it holds something else.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such checkpoint")
    try:
        saved = torch.load(path, map_location="cpu", weights_only=True)
        config = saved["hyper_parameters"]["config"]
        # Weights to begin with need not be fetched again: they are in the file.
        config = {**config, "model": {**config["model"], "pretrained": False}}
        task = LssTask(config)
        task.load_state_dict(saved["state_dict"])
    except (OSError, RuntimeError, ValueError, KeyError, TypeError, EOFError, pickle.UnpicklingError) as error:
        why = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"{path}: not a checkpoint of train-lss ({why})") from None
    if not all(bool(torch.isfinite(tensor).all()) for tensor in task.state_dict().values()):
        raise InputError(f"{path}: a weight is not finite; the training went astray")
    return task.eval()
