"""The small network that tells from the evidence how sure a pixel's depth is, as it was fitted and as it is kept."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from densegt.accumulate.weights import SHIPPED
from densegt.kernels.confidence_features import COLUMNS

Float32 = NDArray[np.float32]


@dataclass(frozen=True)
class ConfidenceModel:
    """Three layers, each with its bias as the last column; see `densegt.kernels.confidence_network`.

    Attributes:
        first: (H,18), second: (G,H+1), third: (1,G+1).
    """

    first: Float32
    second: Float32
    third: Float32

    def layers(self) -> tuple[Float32, Float32, Float32]:
        """In the order in which they are asked."""
        return self.first, self.second, self.third


@cache
def shipped_confidence_model() -> ConfidenceModel:
    """The one in the package."""
    return read_confidence_model(SHIPPED)


def read_confidence_model(path: Path) -> ConfidenceModel:
    """What `write_confidence_model` wrote.

    Raises:
        ValueError: it was made for other evidence.
    """
    kept = json.loads(path.read_text())
    if kept["columns"] != list(COLUMNS):
        raise ValueError(f"{path}: judges other evidence than this version gathers; fit it anew")
    return ConfidenceModel(*(np.array(kept[name], dtype=np.float32) for name in ("first", "second", "third")))


def write_confidence_model(path: Path, judge: ConfidenceModel, made: dict[str, Any]) -> None:
    """As JSON, with how it was made; six digits tell it to within its own accuracy."""
    names = ("first", "second", "third")
    weights = {
        name: [[float(f"{w:.6g}") for w in row] for row in layer]
        for name, layer in zip(names, judge.layers(), strict=True)
    }
    parts = [f'"{name}": {json.dumps(value)}' for name, value in (made | {"columns": COLUMNS} | weights).items()]
    path.write_text("{\n" + ",\n".join(parts) + "\n}\n")
