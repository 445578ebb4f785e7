"""The checkpoint that a training goes on from."""

from __future__ import annotations

from pathlib import Path

import torch
from pydantic import BaseModel

from densegt.errors import InputError


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
