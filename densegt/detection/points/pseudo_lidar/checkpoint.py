"""Opening what `densegt train-pl` wrote, whole or in part."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from densegt.detection.checkpoint import read
from densegt.detection.points.pseudo_lidar.net import PseudoLidar
from densegt.detection.points.pseudo_lidar.task import PlTask
from densegt.errors import InputError


def read_pl_task(path: Path) -> PlTask:
    """The network of a checkpoint with its configuration, ready to answer.

    Raises:
        InputError: there is no such file, it is damaged, or it holds something else.
    """

    def made(config: dict[str, Any]) -> PlTask:
        # Weights to begin with need not be fetched again: they are in the file.
        model = config["model"]
        return PlTask({**config, "model": {**model, "depth": {**model["depth"], "pretrained": False}}})

    return read(path, made, "train-pl")


def begin_with(net: PseudoLidar, path: Path) -> tuple[str, ...]:
    """Give a network the weights of those parts that a checkpoint has too; says which.

    A depth net of one training and a detector of another, such as one of a real lidar, are put together by beginning
    with the one, then with the other.

    Raises:
        InputError: as for `read_pl_task`, or its parts are of another shape.
    """
    before = read_pl_task(path).net
    taken = []
    for name in ("depth", "detector"):
        mine, theirs = getattr(net, name), getattr(before, name)
        if mine is None or theirs is None:
            continue
        try:
            mine.load_state_dict(theirs.state_dict())
        except RuntimeError as error:
            raise InputError(f"{path}: its {name} is of another shape ({str(error).splitlines()[0]})") from None
        taken.append(name)
    return tuple(taken)
