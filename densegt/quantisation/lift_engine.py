"""Lift-Splat as an engine: one graph on each image, one on the ground plane, and in float what lies between them.

Depth is a distribution whose small probabilities count, and what is laid down in a cell is a sum of any number of
pixels: neither has a range that eight bits hold, so the softmax and the sums are done in 32-bit floats.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from densegt.detection.bev.grid import BevGrid
from densegt.errors import InputError
from densegt.quantisation.engine import Arrays, Engine

Float32 = NDArray[np.float32]
# Of the second graph, beside the first.
SECOND = ".bev.onnx"


class LiftEngine:
    """Both graphs in memory; see `Engine`.

    Raises:
        InputError: a file is missing, damaged, none of `densegt quantise`, or they are not of one another.
    """

    def __init__(self, path: Path, *, threads: int = 1, exact: bool = False) -> None:
        self._views, second = Engine(path, threads=threads, exact=exact), second_of(path)
        self.facts = self._views.facts
        if not second.is_file():
            raise InputError(f"{second}: missing; a Lift-Splat's engine is two files that belong beside one another")
        if hashlib.sha256(second.read_bytes()).hexdigest() != self.facts["second"]:
            raise InputError(f"{second}: not the one that was written with {path.name}")
        self._bev = Engine(second, threads=threads, exact=exact)
        self._bins = len(self.facts["reader"]["depths_m"])
        self._shape = BevGrid(**self.facts["reader"]["grid"]).shape

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> Arrays:
        """Outputs by name, of `images` (V,3,H,W) and `cells` (V,D,h,w)."""
        images = inputs["images"]
        said = np.concatenate([self._views.run({"image": image[None]})["pixels"] for image in images])
        return self._bev.run({"bev": laid_down(said, inputs["cells"], self._bins, self._shape)})


AnyEngine = Engine | LiftEngine


def open_engine(path: Path, *, threads: int = 1, exact: bool = False) -> AnyEngine:
    """A file of `densegt quantise`.

    Raises:
        InputError: see `Engine` and `LiftEngine`.
    """
    first = Engine(path, threads=threads, exact=exact)
    return LiftEngine(path, threads=threads, exact=exact) if "second" in first.facts else first


def second_of(path: Path) -> Path:
    """The second file's path."""
    return path.with_name(path.name.removesuffix(".onnx") + SECOND)


def laid_down(pixels: Float32, cells: NDArray[np.int64], bins: int, shape: tuple[int, int]) -> Float32:
    """The ground plane (1,C,Y,X): each cell's sum of features times probabilities.

    Args:
        pixels: (V,D+C,h,w) logits over D bins, then features.
        cells: (V,D,h,w) in which each sample lies, negative outside.
    """
    logits, features = pixels[:, :bins], pixels[:, bins:]
    weights = np.exp(logits - logits.max(1, keepdims=True))
    weights /= weights.sum(1, keepdims=True)
    views, channels, height, width = features.shape
    pixel = np.broadcast_to(np.arange(views * height * width).reshape(views, 1, height, width), cells.shape)
    inside, rows = cells >= 0, shape[0] * shape[1]
    places = (cells[inside], pixel[inside])
    matrix = csr_array((weights[inside], places), shape=(rows, views * height * width))
    table = np.ascontiguousarray(features.transpose(0, 2, 3, 1)).reshape(-1, channels)
    laid = np.asarray(matrix @ table, np.float32)
    return np.ascontiguousarray(laid.T).reshape(1, channels, *shape)
