"""The checkpoint that a training goes on from."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from pydantic import BaseModel, ValidationError

from densegt.errors import InputError
from densegt.training.checkpoint_file import load_checkpoint_file


def last_checkpoint(out: Path, config: BaseModel, *, resume: bool) -> Path | None:
    """Where to go on; None at the start.

    Raises:
        InputError: a training is in `out` and is not to be resumed, or it was of another configuration; or none is.
    """
    last = out / "checkpoints" / "last.ckpt"
    if not resume:
        if os.path.lexists(last):
            raise InputError(f"{out}: a training is there already; --resume goes on with it, another --out lets it be")
        return None
    if not last.is_file():
        raise InputError(f"{last}: no such checkpoint, so there is nothing to resume; leave --resume out")
    saved = load_checkpoint_file(last).get("hyper_parameters", {}).get("config")
    if not isinstance(saved, dict):
        raise InputError(f"{last}: not a checkpoint of a training here")
    with suppress(ValidationError):
        # What was saved before an option was there has its default.
        saved = type(config).model_validate(saved).model_dump()
    now = config.model_dump()
    for name in sorted(saved.keys() | now.keys()):
        if saved.get(name) != now.get(name):
            raise InputError(
                f"{last}: was trained with {name} {saved.get(name)!r}, not {now.get(name)!r}; "
                "resume with the same configuration, or begin anew with --init"
            )
    return last
