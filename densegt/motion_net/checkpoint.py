"""The network's weights in files: safetensors that say what they are, or what Lightning writes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from densegt.depth.partial_file import write_whole
from densegt.errors import InputError
from densegt.motion_net.batches import POINT_FEATURES
from densegt.motion_net.classes import CLASSES
from densegt.motion_net.config import NetConfig
from densegt.motion_net.network import MotionNet
from densegt.motion_net.pillars import CHANNELS
from densegt.training.checkpoint_file import load_checkpoint_file
from densegt.training.fitting_network import require_fitting

FORMAT = "densegt-motion"
# Raised when the same weights would mean something else.
FORMAT_VERSION = 1
_INPUT = {"channels": CHANNELS, "point_features": POINT_FEATURES, "classes": list(CLASSES)}


def write_weights(net: MotionNet, path: Path, facts: Mapping[str, Any]) -> None:
    """Write the weights, and how they were made as `.json` beside them; each appears whole or not at all."""
    about = {"format": FORMAT, "format_version": FORMAT_VERSION, **_INPUT, "net": net.config.model_dump()}
    tensors = {name: value.detach().cpu().contiguous() for name, value in net.state_dict().items()}
    write_whole(path, save(tensors, {"about": json.dumps(about)}))
    write_whole(path.with_suffix(".json"), (json.dumps({**about, **facts}, indent=1) + "\n").encode())


def read_network(path: Path) -> MotionNet:
    """The network of a file, ready to answer.

    Raises:
        InputError: there is no such file, it is damaged, or it holds something else.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such checkpoint")
    config, tensors = _read_safetensors(path) if path.suffix == ".safetensors" else _read_lightning(path)
    try:
        require_fitting(tensors, lambda: MotionNet(config))
        net = MotionNet(config)
        net.load_state_dict(tensors)
    except (RuntimeError, ValueError, TypeError) as error:
        raise InputError(f"{path}: its weights do not fit the network ({str(error).splitlines()[0]})") from None
    if not all(bool(torch.isfinite(tensor).all()) for tensor in tensors.values()):
        raise InputError(f"{path}: a weight is not finite; the training went astray")
    return net.eval()


def _read_safetensors(path: Path) -> tuple[NetConfig, dict[str, Tensor]]:
    try:
        with safe_open(path, "pt") as file:
            about = json.loads((file.metadata() or {}).get("about", "{}"))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError) as error:
        raise InputError(f"{path}: not a readable safetensors file ({error})") from None
    if about.get("format") != FORMAT:
        raise InputError(f"{path}: a safetensors file, but not of a motion network")
    if about.get("format_version") != FORMAT_VERSION or any(about.get(name) != value for name, value in _INPUT.items()):
        raise InputError(f"{path}: written by another version of densegt, for other input; train again")
    return _config(path, about.get("net")), tensors


def _read_lightning(path: Path) -> tuple[NetConfig, dict[str, Tensor]]:
    saved = load_checkpoint_file(path)
    try:
        config = saved["hyper_parameters"]["config"]["net"]
        tensors = {n.removeprefix("net."): t for n, t in saved["state_dict"].items() if n.startswith("net.")}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        why = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"{path}: neither .safetensors nor a checkpoint of train-motion ({why})") from None
    return _config(path, config), tensors


def _config(path: Path, config: Any) -> NetConfig:
    try:
        return NetConfig.model_validate(config)
    except ValidationError as error:
        raise InputError(f"{path}: not of a motion network ({error.errors()[0]['msg']})") from None


def shipped_weights() -> Path:
    """The weights in the package.

    Raises:
        InputError: this installation has none.
    """
    path = Path(str(files("densegt.motion_net.weights") / "motion.safetensors"))
    if not path.is_file():
        raise InputError("no weights ship with this densegt; densegt train-motion makes some")
    return path
