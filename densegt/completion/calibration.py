"""What a method says of its error, made to hold: monotone maps of its own uncertainty, fitted after it was trained."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from densegt.completion.method import CompletedDepth, SparseDepth, measured
from densegt.depth.depth_map import Source
from densegt.depth.matching import tolerance_m
from densegt.errors import InputError

Float32 = NDArray[np.float32]
# Kinds of pixels, each with its own map: of what input, and whether something is measured in the column above. What has
# nothing above it is carried up, and may be sky.
ONE_SWEEP, ACCUMULATED = "one sweep", "accumulated"
BELOW, ABOVE_ALL = "below a measurement", "above all measurements"
KINDS = tuple(f"{of}, {where}" for of in (ONE_SWEEP, ACCUMULATED) for where in (BELOW, ABOVE_ALL))


@dataclass(frozen=True)
class Curve:
    """Knots of two maps, both piecewise linear over the logarithm and flat beyond the ends.

    Attributes:
        own_m, error_m: the method's own uncertainty, and what 68 % of the errors of pixels that have it are less than.
        ratio, right: own uncertainty over what a right depth may be off, and the share of right depths.
    """

    own_m: tuple[float, ...]
    error_m: tuple[float, ...]
    ratio: tuple[float, ...]
    right: tuple[float, ...]

    def __post_init__(self) -> None:
        if not (len(self.own_m) == len(self.error_m) > 0 and len(self.ratio) == len(self.right) > 0):
            raise ValueError("a curve needs as many values as knots")
        rises = all((np.diff(part) >= 0).all() for part in (self.own_m, self.error_m, self.ratio))
        if not rises or (np.diff(self.right) > 0).any() or min(self.own_m[0], self.error_m[0], self.ratio[0]) <= 0:
            raise ValueError("a curve is not monotone, or not positive")

    def sigma_m(self, own_m: Float32) -> Float32:
        """What 68 % of errors are less than, of own uncertainties; 0 stays 0."""
        return _looked_up(self._sigma_table, own_m)

    def confidence(self, own_m: Float32, depth_m: Float32) -> Float32:
        """Probabilities that depth is right to max(0.5 m, 5 %); 0 where the uncertainty is."""
        return _looked_up(self._right_table, own_m / tolerance_m(depth_m))

    @cached_property
    def _sigma_table(self) -> Float32:
        return _table(self.own_m, np.log(self.error_m), exponential=True)

    @cached_property
    def _right_table(self) -> Float32:
        return _table(self.ratio, np.asarray(self.right), exponential=False)


@dataclass(frozen=True)
class Calibration:
    """A method's curves by `KINDS`."""

    curves: Mapping[str, Curve]

    def __call__(self, given: SparseDepth, done: CompletedDepth, filled: NDArray[np.bool_]) -> CompletedDepth:
        """The same depth, with what holds of the pixels (H,W) that were filled; of the others no confidence is said."""
        own_m, sigma_m = done.uncertainty_m, done.uncertainty_m.copy()
        confidence = np.zeros_like(own_m)
        for kind, pixels in kinds_of(given, filled).items():
            curve = self.curves[kind]
            np.copyto(sigma_m, curve.sigma_m(own_m), where=pixels)
            np.copyto(confidence, curve.confidence(own_m, done.depth_m), where=pixels)
        return CompletedDepth(done.depth_m, sigma_m, confidence)

    def as_json(self) -> dict[str, Any]:
        """For a file."""
        return {kind: _rounded(curve) for kind, curve in self.curves.items()}


def kinds_of(given: SparseDepth, filled: NDArray[np.bool_]) -> dict[str, NDArray[np.bool_]]:
    """The filled pixels (H,W) of each kind in an image."""
    of = ACCUMULATED if is_accumulated(given.source) else ONE_SWEEP
    below = np.maximum.accumulate(measured(given.depth_m), axis=0)
    return {f"{of}, {BELOW}": filled & below, f"{of}, {ABOVE_ALL}": filled & ~below}


def is_accumulated(source: NDArray[np.uint8]) -> bool:
    """Whether sources (H,W) are of more than the keyframe's own sweep: that has no static points of other sweeps and no
    surface between."""
    return bool(np.isin(source, (Source.STATIC, Source.SURFACE)).any())


def calibration_path(weights: Path) -> Path:
    """The file beside weights that holds their calibration."""
    return weights.with_suffix(".calibration.json")


def read_calibration(path: Path) -> Calibration | None:
    """A calibration from its file; None where there is no such file.

    Raises:
        InputError: it is damaged.
    """
    if not path.is_file():
        return None
    try:
        values = json.loads(path.read_bytes())
        return Calibration({kind: _curve(values[kind]) for kind in KINDS})
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{path}: not a readable calibration ({' '.join(str(error).split())[:200]})") from None


def _curve(values: Mapping[str, Any]) -> Curve:
    return Curve(**{name: tuple(map(float, part)) for name, part in values.items()})


def _rounded(curve: Curve) -> dict[str, list[float]]:
    return {name: [float(f"{value:.4g}") for value in part] for name, part in vars(curve).items() if name[0] != "_"}


def _table(knots: tuple[float, ...], values: NDArray[np.float64], *, exponential: bool) -> Float32:
    """(65536,) of every half-precision number, as a store keeps uncertainty; 0 of what is not positive and finite."""
    every = np.arange(1 << 16, dtype=np.uint16).view(np.float16).astype(np.float64)
    positive = np.isfinite(every) & (every > 0)
    out = np.zeros(len(every), np.float32)
    found = np.interp(np.log(every[positive]), np.log(knots), values)
    out[positive] = np.exp(found) if exponential else found
    return out


def _looked_up(table: Float32, values: Float32) -> Float32:
    # Faster by far than logarithms of each pixel; 65504 is the largest half-precision number.
    half = np.minimum(values, np.float32(65504)).astype(np.float16)
    tiny = np.maximum(half, np.float16(6e-8), where=values > 0, out=half)
    return np.asarray(table[tiny.view(np.uint16)], np.float32)
