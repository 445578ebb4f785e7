"""Completion methods by name; each one's module is imported when it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from densegt.completion.method import Method
from densegt.completion.weights import SHIPPED
from densegt.errors import InputError
from densegt.install_hint import install_command


class MethodEntry(NamedTuple):
    """How a method is opened, and where its weights lie; both take the checkpoint that the user named."""

    open: Callable[[Path | None], Method]
    weights: Callable[[Path | None], Path | None]


def open_method(name: str, checkpoint: Path | None = None) -> Method:
    """The method of that name, its weights read.

    Raises:
        InputError: there is none of that name, it takes no checkpoint, or the checkpoint cannot be read.
    """
    return _entry(name).open(checkpoint)


def weights_path(name: str, checkpoint: Path | None = None) -> Path | None:
    """File or folder of the weights that a method reads; None for a method without weights.

    Raises:
        InputError: there is no method of that name, it takes no checkpoint, or there is no such checkpoint.
    """
    return _entry(name).weights(checkpoint)


def _entry(name: str) -> MethodEntry:
    if name not in METHODS:
        raise InputError(f"no completion method {name!r}; there is {', '.join(METHODS)}")
    return METHODS[name]


def _open_classical(checkpoint: Path | None) -> Method:
    from densegt.completion.classical import Classical

    _no_weights(checkpoint)
    return Classical()


def _no_weights(checkpoint: Path | None) -> None:
    if checkpoint is not None:
        raise InputError(f"{checkpoint}: --method classical has no weights and takes no --checkpoint")


def _open_network(checkpoint: Path | None) -> Method:
    try:
        from densegt.completion.calibration import calibration_path, read_calibration
        from densegt.completion.checkpoint import read_network
        from densegt.completion.infer import Network
    except ImportError as error:
        raise InputError(f"--method network: {error}; {install_command('train')}") from None
    weights = checkpoint or SHIPPED
    return Network(read_network(weights), read_calibration(calibration_path(weights)))


def _network_weights(checkpoint: Path | None) -> Path:
    path = checkpoint or SHIPPED
    if not path.is_file():
        raise InputError(f"{path}: no such checkpoint")
    return path


def _open_foundation(checkpoint: Path | None) -> Method:
    from densegt.completion.foundation import open_foundation

    return open_foundation(checkpoint)


def _foundation_weights(checkpoint: Path | None) -> Path:
    from densegt.completion.foundation import model_folder

    return model_folder(checkpoint)


METHODS: dict[str, MethodEntry] = {
    "classical": MethodEntry(_open_classical, _no_weights),
    "network": MethodEntry(_open_network, _network_weights),
    "prompt-depth-anything": MethodEntry(_open_foundation, _foundation_weights),
}
