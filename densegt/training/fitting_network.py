"""Whether a checkpoint's weights are those of the network that its configuration names, before that is built."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.module import (
    register_module_buffer_registration_hook,
    register_module_parameter_registration_hook,
)

# Of what is no weight, such as places of bins.
MAX_BUFFERED = 2**26


def require_fitting(saved: Mapping[str, Tensor], build: Callable[[], nn.Module]) -> None:
    """Refuse a network whose weights are not those of the file: a few bytes may name one of any size.

    Args:
        saved: its weights.
        build: makes the network; asked here on a device that takes no memory, and left as soon as it is too large.

    Raises:
        ValueError: they are others.
    """
    if any(tensor.numel() * tensor.element_size() > tensor.untyped_storage().nbytes() for tensor in saved.values()):
        raise ValueError("weights that are larger than what is stored of them")
    with _at_most(len(saved), sum(tensor.numel() for tensor in saved.values())), torch.device("meta"):
        wanted = {name: tensor.shape for name, tensor in build().state_dict().items()}
    if wanted != {name: tensor.shape for name, tensor in saved.items()}:
        raise ValueError("its weights are not those of the network that its configuration names")


@contextmanager
def _at_most(tensors: int, elements: int) -> Iterator[None]:
    """Stop a network while it is being made that has more weights, or much else."""
    left = {"tensors": tensors, "elements": elements, "buffered": MAX_BUFFERED}

    def count(module: nn.Module, name: str, weight: Any) -> None:
        left["tensors"] -= 1
        left["elements"] -= weight.numel() if weight is not None else 0
        if min(left["tensors"], left["elements"]) < 0:
            raise ValueError("its configuration names a larger network than its weights are of")

    def count_buffer(module: nn.Module, name: str, buffer: Any) -> None:
        left["buffered"] -= buffer.numel() if buffer is not None else 0
        if left["buffered"] < 0:
            raise ValueError("its configuration names a network of no real size")

    hooks = [
        register_module_parameter_registration_hook(count),
        register_module_buffer_registration_hook(count_buffer),
    ]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
