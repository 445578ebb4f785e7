"""Opening what a training of a detector wrote."""

from __future__ import annotations

from pathlib import Path

import torch
from pydantic import ValidationError

from densegt.detection.registry import task_type
from densegt.detection.task import DetectionTask
from densegt.errors import InputError
from densegt.training.checkpoint_file import load_checkpoint_file
from densegt.training.fitting_network import require_fitting


def read_task(path: Path) -> DetectionTask:
    """The detector of a checkpoint with its configuration, ready to answer.

    Raises:
        InputError: there is no such file, it is damaged, or it holds something else.
    """
    if path.suffix == ".safetensors":
        raise InputError(
            f"{path}: not a checkpoint of a detector, whose names end in .ckpt; weights as of densegt train-motion can "
            "be neither run nor quantised as one"
        )
    saved = load_checkpoint_file(path)
    try:
        config = saved["hyper_parameters"]["config"]
        # Lift-Splat does not name itself.
        detector = task_type(config["model"].get("detector", "lss"))
        require_fitting(saved["state_dict"], lambda: detector.of_checkpoint(config))
        task = detector.of_checkpoint(config)
        task.load_state_dict(saved["state_dict"])
    except (RuntimeError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{path}: not a checkpoint of a detector ({_line(error)})") from None
    if not all(bool(torch.isfinite(tensor).all()) for tensor in task.state_dict().values()):
        raise InputError(f"{path}: a weight is not finite; the training went astray")
    return task.eval()


def _line(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False)[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"[:300]
    if isinstance(error, KeyError):
        return f"it has no {error}"
    return str(error).splitlines()[0][:300] if str(error) else type(error).__name__
