"""Opening what a training of a detector wrote."""

from __future__ import annotations

from pathlib import Path

import torch

from densegt.detection.registry import task_type
from densegt.detection.task import DetectionTask
from densegt.errors import InputError
from densegt.training.checkpoint_file import load_checkpoint_file


def read_task(path: Path) -> DetectionTask:
    """The detector of a checkpoint with its configuration, ready to answer.

    Raises:
        InputError: there is no such file, it is damaged, or it holds something else.
    """
    saved = load_checkpoint_file(path)
    try:
        config = saved["hyper_parameters"]["config"]
        # Only those of points name their detector.
        task = task_type(config["model"].get("detector", "lss")).of_checkpoint(config)
        task.load_state_dict(saved["state_dict"])
    except (RuntimeError, ValueError, KeyError, TypeError, AttributeError) as error:
        why = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"{path}: not a checkpoint of a detector ({why})") from None
    if not all(bool(torch.isfinite(tensor).all()) for tensor in task.state_dict().values()):
        raise InputError(f"{path}: a weight is not finite; the training went astray")
    return task.eval()
