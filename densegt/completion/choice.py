"""`--method auto`: classical or network, by what validation of the network's weights found for this kind of input."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from densegt.completion.calibration import ACCUMULATED, ONE_SWEEP, is_accumulated
from densegt.completion.weights import SHIPPED
from densegt.depth.store import SceneReader
from densegt.install_hint import install_command

AUTO = "auto"
ASKED_IMAGES = 3
# What the network must not lose in; see `CompletionTask.on_validation_epoch_end`.
ERRORS = ("RMSE m", "MAE m")


@dataclass(frozen=True)
class Choice:
    """A method by name, and why it was taken, in words."""

    method: str
    why: str


def choose_method(reader: SceneReader, checkpoint: Path | None = None) -> Choice:
    """The method for a scene of a depth store: the network where its validation had it better in RMSE and in MAE.

    Raises:
        InputError: an image of the scene cannot be read.
    """
    kind = kind_of_input(reader)
    if find_spec("torch") is None:
        return Choice("classical", f"{kind}: classical, for the network needs torch; {install_command('train')}")
    found = _validation(checkpoint or SHIPPED)
    try:
        errors = [(float(found[f"{kind}/network {name}"]), float(found[f"{kind}/classical {name}"])) for name in ERRORS]
    except (KeyError, TypeError, ValueError):
        return Choice("classical", f"{kind}: classical, for nothing is known of the network's weights on such input")
    better = all(network < classical for network, classical in errors)
    figures = " and ".join(
        f"{name.removesuffix(' m')} {network:.2f} against {classical:.2f} m"
        for name, (network, classical) in zip(ERRORS, errors, strict=True)
    )
    method = "network" if better else "classical"
    return Choice(method, f"{kind}: {method}, for validation of the network found {figures} of classical")


def kind_of_input(reader: SceneReader) -> str:
    """Whether a scene is of single sweeps or of accumulated depth, as a few of its images tell."""
    keys = list(reader.keys)
    asked = keys[:: max(1, len(keys) // ASKED_IMAGES)]
    return ACCUMULATED if any(is_accumulated(reader.read(*key).source) for key in asked) else ONE_SWEEP


def _validation(weights: Path) -> Mapping[str, Any]:
    """What validation found of weights, as the file beside them says; empty where there is none that can be read."""
    try:
        found = json.loads(weights.with_suffix(".json").read_bytes())["validation"]
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return found if isinstance(found, dict) else {}
