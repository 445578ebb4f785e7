"""A graph's operations in torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from densegt.quantisation.graph import Node

Weights = tuple[Tensor | None, Tensor | None]


def compute(node: Node, inputs: list[Tensor], weights: Weights) -> Tensor:
    """What an operation gives of its inputs, weight and bias."""
    return _OPERATIONS[node.op](node.attributes, inputs, weights)


def _conv(attributes: Mapping[str, Any], inputs: list[Tensor], weights: Weights) -> Tensor:
    weight, bias = weights
    assert weight is not None
    padding = _even(attributes["pads"])
    out: Tensor = functional.conv2d(
        inputs[0], weight, bias, tuple(attributes["strides"]), padding, tuple(attributes["dilations"]),
        attributes["group"],
    )  # fmt: skip
    return out


def _conv_transpose(attributes: Mapping[str, Any], inputs: list[Tensor], weights: Weights) -> Tensor:
    weight, bias = weights
    assert weight is not None
    padding = _even(attributes["pads"])
    return functional.conv_transpose2d(
        inputs[0], weight, bias, tuple(attributes["strides"]), padding,
        tuple(attributes.get("output_padding", (0, 0))), attributes["group"], tuple(attributes["dilations"]),
    )  # fmt: skip


def _relu(attributes: Mapping[str, Any], inputs: list[Tensor], weights: Weights) -> Tensor:
    return functional.relu(inputs[0])


def _add(attributes: Mapping[str, Any], inputs: list[Tensor], weights: Weights) -> Tensor:
    return inputs[0] + inputs[1]


def _concat(attributes: Mapping[str, Any], inputs: list[Tensor], weights: Weights) -> Tensor:
    return torch.cat(inputs, attributes["axis"])


def _resize(attributes: Mapping[str, Any], inputs: list[Tensor], weights: Weights) -> Tensor:
    if attributes["sizes"] is not None:
        size = attributes["sizes"][-2:]
    else:
        size = tuple(round(n * s) for n, s in zip(inputs[0].shape[-2:], attributes["scales"][-2:], strict=True))
    if attributes["mode"] == b"nearest":
        return functional.interpolate(inputs[0], size=size, mode="nearest")
    return functional.interpolate(inputs[0], size=size, mode="bilinear", align_corners=False)


def _max_pool(attributes: Mapping[str, Any], inputs: list[Tensor], weights: Weights) -> Tensor:
    padding = _even(attributes.get("pads", (0, 0, 0, 0)))
    pooled: Tensor = functional.max_pool2d(
        inputs[0], tuple(attributes["kernel_shape"]), tuple(attributes["strides"]), padding
    )
    return pooled


def _average_pool(attributes: Mapping[str, Any], inputs: list[Tensor], weights: Weights) -> Tensor:
    padding = _even(attributes.get("pads", (0, 0, 0, 0)))
    counted = bool(attributes.get("count_include_pad", 0))
    pooled: Tensor = functional.avg_pool2d(
        inputs[0], tuple(attributes["kernel_shape"]), tuple(attributes["strides"]), padding, count_include_pad=counted
    )
    return pooled


def _even(pads: Any) -> tuple[int, int]:
    """Padding that is the same on both sides, as densegt's networks have it."""
    top, left, bottom, right = pads
    assert (top, left) == (bottom, right)
    return top, left


_OPERATIONS: dict[str, Callable[[Mapping[str, Any], list[Tensor], Weights], Tensor]] = {
    "Conv": _conv,
    "ConvTranspose": _conv_transpose,
    "Relu": _relu,
    "Add": _add,
    "Concat": _concat,
    "Resize": _resize,
    "MaxPool": _max_pool,
    "AveragePool": _average_pool,
}
