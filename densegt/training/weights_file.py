"""A network's weights in a file: safetensors that say what they are, or what Lightning writes."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from densegt.depth.partial_file import write_whole
from densegt.errors import InputError
from densegt.training.checkpoint_file import load_checkpoint_file
from densegt.training.fitting_network import require_fitting

Tensors = dict[str, Tensor]
Net = TypeVar("Net", bound=nn.Module)


@dataclass(frozen=True)
class WeightsFormat:
    """What a file of weights says of itself, so that no other is taken for it.

    Args:
        name: the format's name in the file.
        version: raised when the same weights would mean something else.
        network: the network in words.
        command: writes such checkpoints.
        inputs: what the network reads; weights that read something else are refused.
    """

    name: str
    version: int
    network: str
    command: str
    inputs: Mapping[str, Any]


def write_weights_file(path: Path, net: nn.Module, kind: WeightsFormat, shape: Mapping[str, Any]) -> dict[str, Any]:
    """Write the weights, whole or not at all; gives what the file says of itself.

    Args:
        shape: what the network is built from.
    """
    about = {"format": kind.name, "format_version": kind.version, **kind.inputs, **shape}
    tensors = {name: value.detach().cpu().contiguous() for name, value in net.state_dict().items()}
    write_whole(path, save(tensors, {"about": json.dumps(about)}))
    return about


def write_facts(path: Path, facts: Mapping[str, Any]) -> None:
    """Write how weights were made, as `.json` beside them."""
    write_whole(path.with_suffix(".json"), (json.dumps(facts, indent=1) + "\n").encode())


def read_weights_file(path: Path, kind: WeightsFormat) -> tuple[dict[str, Any], Tensors]:
    """What the network is built from, and its weights.

    Raises:
        InputError: there is no such file, it is damaged, or it holds something else.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such checkpoint")
    return _read_safetensors(path, kind) if path.suffix == ".safetensors" else _read_lightning(path, kind)


def network_with(path: Path, tensors: Tensors, make: Callable[[], Net]) -> Net:
    """The network with these weights, ready to answer.

    Raises:
        InputError: they do not fit, or are not finite.
    """
    try:
        require_fitting(tensors, make)
        net = make()
        net.load_state_dict(tensors)
    except (RuntimeError, ValueError, TypeError) as error:
        raise InputError(f"{path}: its weights do not fit the network ({str(error).splitlines()[0]})") from None
    if not all(bool(torch.isfinite(tensor).all()) for tensor in tensors.values()):
        raise InputError(f"{path}: a weight is not finite; the training went astray")
    return net.eval()


def not_of(path: Path, kind: WeightsFormat, error: Exception) -> InputError:
    """The complaint that a checkpoint is not of this network."""
    why = str(error).splitlines()[0] if str(error) else type(error).__name__
    return InputError(f"{path}: neither .safetensors nor a checkpoint of {kind.command} ({why})")


def _read_safetensors(path: Path, kind: WeightsFormat) -> tuple[dict[str, Any], Tensors]:
    try:
        with safe_open(path, "pt") as file:
            about = json.loads((file.metadata() or {}).get("about", "{}"))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError) as error:
        raise InputError(f"{path}: not a readable safetensors file ({error})") from None
    if not isinstance(about, dict) or about.get("format") != kind.name:
        raise InputError(f"{path}: a safetensors file, but not of a {kind.network}")
    wanted = {"format_version": kind.version, **kind.inputs}
    if any(about.get(name) != value for name, value in wanted.items()):
        raise InputError(f"{path}: written by another version of densegt, for other input; train again")
    return about, tensors


def _read_lightning(path: Path, kind: WeightsFormat) -> tuple[dict[str, Any], Tensors]:
    saved = load_checkpoint_file(path)
    try:
        config = dict(saved["hyper_parameters"]["config"])
        tensors = {n.removeprefix("net."): t for n, t in saved["state_dict"].items() if n.startswith("net.")}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise not_of(path, kind, error) from None
    return config, tensors
