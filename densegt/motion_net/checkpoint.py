"""The network's weights in files: safetensors that say what they are, or what Lightning writes."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from densegt.errors import InputError
from densegt.motion_net.batches import POINT_FEATURES
from densegt.motion_net.classes import CLASSES
from densegt.motion_net.config import NetConfig
from densegt.motion_net.network import MotionNet
from densegt.motion_net.pillars import CHANNELS
from densegt.training.weights_file import (
    WeightsFormat,
    network_with,
    read_weights_file,
    write_facts,
    write_weights_file,
)

_INPUTS = {"channels": CHANNELS, "point_features": POINT_FEATURES, "classes": list(CLASSES)}
FORMAT = WeightsFormat("densegt-motion", 1, "motion network", "train-motion", _INPUTS)


def write_weights(net: MotionNet, path: Path, facts: Mapping[str, Any]) -> None:
    """Write the weights, and how they were made as `.json` beside them; each appears whole or not at all."""
    write_facts(path, {**write_weights_file(path, net, FORMAT, {"net": net.config.model_dump()}), **facts})


def read_network(path: Path) -> MotionNet:
    """The network of a file, ready to answer.

    Raises:
        InputError: there is no such file, it is damaged, or it holds something else.
    """
    about, tensors = read_weights_file(path, FORMAT)
    try:
        config = NetConfig.model_validate(about.get("net"))
    except ValidationError as error:
        raise InputError(f"{path}: not of a motion network ({error.errors()[0]['msg']})") from None
    return network_with(path, tensors, lambda: MotionNet(config))


def shipped_weights() -> Path:
    """The weights in the package.

    Raises:
        InputError: this installation has none.
    """
    path = Path(str(files("densegt.motion_net.weights") / "motion.safetensors"))
    if not path.is_file():
        raise InputError("no weights ship with this densegt; densegt train-motion makes some")
    return path
