"""The network's weights in files: safetensors with a JSON beside them, or what Lightning writes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from densegt.completion.features import CHANNELS
from densegt.completion.model import CompletionNet, Shape
from densegt.training.weights_file import (
    WeightsFormat,
    network_with,
    not_of,
    read_weights_file,
    write_facts,
    write_weights_file,
)

FORMAT = WeightsFormat("densegt-completion", 2, "completion network", "train-completion", {"channels": CHANNELS})


def write_weights(net: CompletionNet, path: Path, facts: Mapping[str, Any]) -> None:
    """Write the weights, and how they were made as `.json` beside them; each appears whole or not at all."""
    shape = {"widths": list(net.shape.widths), "blocks": list(net.shape.blocks)}
    write_facts(path, {**write_weights_file(path, net, FORMAT, shape), **facts})


def read_network(path: Path) -> CompletionNet:
    """The network of a file, ready to answer.

    Raises:
        InputError: there is no such file, it is damaged, or it holds something else.
    """
    config, tensors = read_weights_file(path, FORMAT)
    try:
        shape = Shape(tuple(config["widths"]), tuple(config["blocks"]))
    except (ValueError, KeyError, TypeError) as error:
        raise not_of(path, FORMAT, error) from None
    return network_with(path, tensors, lambda: CompletionNet(shape))
