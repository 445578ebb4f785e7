"""Eight bits: how a range becomes a scale, and a value a whole number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from densegt.quantisation.config import Target

# A tensor that is zero throughout has no range; any scale holds it, but biases are counted in it.
NO_RANGE, ANY_STEP = 1e-12, 1.0
# Of a layer's largest step: a channel that hardly does anything needs none so fine, and its bias must be held in it.
LEAST_STEP = 1e-3
WEIGHT_LIMIT = 127


@dataclass(frozen=True)
class Levels:
    """The whole numbers that a target's activations can be."""

    least: int
    most: int

    @property
    def signed(self) -> bool:
        """Whether they are about zero, which then stands for zero."""
        return self.least < 0


LEVELS: dict[Target, Levels] = {"cpu": Levels(0, 255), "tensorrt": Levels(-128, 127)}


@dataclass(frozen=True)
class Scale:
    """value = step * (number - zero); zero is exactly a number, so that empty cells stay empty."""

    step: float
    zero: int


def scale_of_range(least: float, most: float, levels: Levels) -> Scale:
    """The scale whose numbers reach from `least` to `most`; the range is stretched to hold zero."""
    least, most = min(least, 0.0), max(most, 0.0)
    if most - least < NO_RANGE:
        return Scale(ANY_STEP, 0)
    if levels.signed:
        return Scale(max(-least, most) / levels.most, 0)
    step = (most - least) / (levels.most - levels.least)
    return Scale(step, int(np.clip(round(-least / step), levels.least, levels.most)))


def weight_limit(bits: int) -> int:
    """The largest whole number of a weight about zero."""
    return (1 << (bits - 1)) - 1


def weight_steps(
    weight: NDArray[np.float32], *, transposed: bool = False, limit: int = WEIGHT_LIMIT
) -> NDArray[np.float32]:
    """Step of each output channel of a weight, about zero."""
    over = tuple(axis for axis in range(weight.ndim) if axis != (1 if transposed else 0))
    largest = np.abs(weight).max(axis=over)
    steps = np.maximum(largest, largest.max() * LEAST_STEP) / limit
    floored: NDArray[np.float32] = np.where(steps < NO_RANGE, ANY_STEP, steps).astype(np.float32)
    return floored


def channels_first(steps: NDArray[Any], ndim: int, *, transposed: bool = False) -> NDArray[Any]:
    """Steps of output channels, shaped to go with the weight."""
    shape = [1] * ndim
    shape[1 if transposed else 0] = -1
    return steps.reshape(shape)


def to_numbers(values: NDArray[Any], step: NDArray[Any] | float, zero: int, least: int, most: int) -> NDArray[Any]:
    """Whole numbers, halves rounded to even as engines do."""
    numbers: NDArray[Any] = np.clip(np.rint(values / step) + zero, least, most)
    return numbers
