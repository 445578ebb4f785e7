"""Means over seeds, how sure they are, and whether two variants to train differ by more than chance."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Interval:
    """A mean over seeds, with Student's interval; low and high are NaN for a single seed."""

    mean: float
    low: float
    high: float
    count: int

    @property
    def half(self) -> float:
        """Half of its width."""
        return (self.high - self.low) / 2


@dataclass(frozen=True)
class Difference:
    """Of two variants to train, seed by seed.

    Attributes:
        interval: of the second less the first.
        p: two-sided, of no difference (paired t-test); NaN for fewer than two seeds.
    """

    interval: Interval
    p: float


def interval(values: Sequence[float]) -> Interval:
    """Mean of values, NaN left out, and its confidence interval."""
    known = np.array([value for value in values if not math.isnan(value)])
    if len(known) == 0:
        return Interval(math.nan, math.nan, math.nan, 0)
    mean = float(known.mean())
    if len(known) == 1:
        return Interval(mean, math.nan, math.nan, 1)
    error = float(known.std(ddof=1)) / math.sqrt(len(known))
    half = float(stats.t.ppf((1 + CONFIDENCE) / 2, len(known) - 1)) * error
    return Interval(mean, mean - half, mean + half, len(known))


def difference(first: Mapping[int, float], second: Mapping[int, float]) -> Difference:
    """By seed: first weights, augmentation and order are alike, so each seed is compared with itself."""
    seeds = sorted(first.keys() & second.keys())
    gaps = [second[seed] - first[seed] for seed in seeds]
    found = interval(gaps)
    if found.count < 2:
        return Difference(found, math.nan)
    error = found.half / float(stats.t.ppf((1 + CONFIDENCE) / 2, found.count - 1))
    if error == 0:
        return Difference(found, 1.0 if found.mean == 0 else 0.0)
    return Difference(found, float(2 * stats.t.sf(abs(found.mean) / error, found.count - 1)))


def survivors(ps: Sequence[float]) -> list[bool]:
    """Which of several differences are more than chance when all are looked at together (S. Holm, 1979)."""
    order = sorted((i for i, p in enumerate(ps) if not math.isnan(p)), key=lambda i: ps[i])
    kept = [False] * len(ps)
    for rank, i in enumerate(order):
        if ps[i] > (1 - CONFIDENCE) / (len(order) - rank):
            break
        kept[i] = True
    return kept
