"""Ranges: what a city's worlds are drawn from, read from a YAML file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from densegt.configuration import read_yaml
from densegt.errors import InputError
from densegt.suggestion import did_you_mean

DEFAULT = "city"


@dataclass(frozen=True)
class Ranges:
    """Named intervals (uniform) and named choices with weights.

    Attributes:
        name: of the file or preset.
        intervals: (low, high) by name; choices: weight of each option by name.
    """

    name: str
    intervals: Mapping[str, tuple[float, float]]
    choices: Mapping[str, Mapping[str, float]]

    def draw(self, rng: np.random.Generator, name: str) -> float:
        """A value from an interval."""
        low, high = self.intervals[name]
        return float(rng.uniform(low, high))

    def count(self, rng: np.random.Generator, name: str) -> int:
        """A whole number from an interval, both ends included."""
        low, high = self.intervals[name]
        return int(rng.integers(round(low), round(high) + 1))

    def choose(self, rng: np.random.Generator, name: str) -> str:
        """One option, by weight."""
        options = self.choices[name]
        weights = np.array(list(options.values()), dtype=np.float64)
        return list(options)[int(rng.choice(len(weights), p=weights / weights.sum()))]


def read_ranges(name_or_path: str = DEFAULT) -> Ranges:
    """Ranges from a file, or by the name of one in configs/; what a file leaves out is as in `city`.

    Raises:
        InputError: there is no such file, or it says something that no range is called.
    """
    base, own = read_yaml(DEFAULT), read_yaml(name_or_path)
    unknown = [f"unknown range {name!r}{did_you_mean(name, sorted(base))}" for name in own if name not in base]
    if unknown:
        raise InputError(f"{name_or_path}: {' | '.join(unknown[:10])}")
    merged = {**base, **own}
    intervals = {k: _interval(name_or_path, k, v) for k, v in merged.items() if not isinstance(v, Mapping)}
    choices = {k: _choice(name_or_path, k, v, base[k]) for k, v in merged.items() if isinstance(v, Mapping)}
    return Ranges(name_or_path, intervals, choices)


def _interval(where: str, name: str, value: Any) -> tuple[float, float]:
    pair = value if isinstance(value, list) else [value, value]
    if len(pair) != 2 or not all(isinstance(x, int | float) for x in pair) or pair[0] > pair[1]:
        raise InputError(f"{where}: {name} must be a number or [low, high], not {value}")
    return float(pair[0]), float(pair[1])


def _choice(where: str, name: str, value: Any, known: Any) -> Mapping[str, float]:
    if not isinstance(known, Mapping) or not value or not set(value) <= set(known):
        raise InputError(f"{where}: {name} must give weights to some of {sorted(known)}, not {value}")
    return {str(k): float(v) for k, v in value.items() if v > 0}
