"""`--method network`: opens the network without asking for torch before it is needed."""

from __future__ import annotations

from pathlib import Path

from densegt.completion.method import Method
from densegt.completion.weights import SHIPPED
from densegt.errors import InputError


def open_network(checkpoint: Path | None) -> Method:
    """The network with these weights, those that ship where none are named.

    Raises:
        InputError: torch is not installed, or the weights cannot be read.
    """
    try:
        from densegt.completion.checkpoint import read_network
        from densegt.completion.infer import Network
    except ImportError as error:
        raise InputError(f'--method network: {error}; pip install "densegt[train]"') from None
    return Network(read_network(checkpoint or SHIPPED))
