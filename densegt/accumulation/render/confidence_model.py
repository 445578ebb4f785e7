"""The fitted confidence model and its file."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from densegt.accumulation.weights import SHIPPED
from densegt.kernels.confidence_features import COLUMNS
from densegt.kernels.confidence_network import ConfidenceModel


@cache
def shipped_confidence_model() -> ConfidenceModel:
    """The model in the package."""
    return read_confidence_model(SHIPPED)


def read_confidence_model(path: Path) -> ConfidenceModel:
    """A model that `write_confidence_model` wrote.

    Raises:
        ValueError: it was fitted to other features.
    """
    kept = json.loads(path.read_text())
    if kept["columns"] != list(COLUMNS):
        raise ValueError(f"{path}: fitted to other features than this version computes; fit it again")
    return ConfidenceModel(*(np.array(kept[name], dtype=np.float32) for name in ConfidenceModel._fields))


def write_confidence_model(path: Path, model: ConfidenceModel, made: dict[str, Any]) -> None:
    """Write a model as JSON with how it was made; weights to six digits."""
    weights = {name: [[float(f"{w:.6g}") for w in row] for row in layer] for name, layer in model._asdict().items()}
    parts = [f'"{name}": {json.dumps(value)}' for name, value in (made | {"columns": COLUMNS} | weights).items()]
    path.write_text("{\n" + ",\n".join(parts) + "\n}\n")
