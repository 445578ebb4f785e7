"""Intervals and tests over seeds, against scipy's own."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

pytest.importorskip("torch")

from densegt.experiments.statistics import difference, interval, survivors


def test_interval_is_students():
    values = [1.0, 2.0, 4.0]
    found = interval(values)
    low, high = stats.t.interval(0.95, 2, loc=np.mean(values), scale=stats.sem(values))
    assert (found.mean, found.low, found.high) == pytest.approx((np.mean(values), low, high))
    assert found.half == pytest.approx((high - low) / 2)


def test_interval_of_few():
    assert math.isnan(interval([]).mean)
    one = interval([3.0, math.nan])
    assert (one.mean, one.count) == (3.0, 1)
    assert math.isnan(one.low)


def test_difference_is_the_paired_t_test():
    rng = np.random.default_rng(0)
    first = dict(enumerate(rng.normal(size=5)))
    second = {seed: value + 0.3 + 0.1 * rng.normal() for seed, value in first.items()}
    found = difference(first, second)
    wanted = stats.ttest_rel(list(second.values()), list(first.values()))
    assert found.p == pytest.approx(wanted.pvalue)
    interval_ = wanted.confidence_interval(0.95)
    assert (found.interval.low, found.interval.high) == pytest.approx((interval_.low, interval_.high))


def test_only_seeds_that_both_have_are_compared():
    assert difference({0: 1.0, 1: 1.0, 2: 9.0}, {0: 2.0, 1: 3.0, 5: 0.0}).interval.mean == 1.5
    assert math.isnan(difference({0: 1.0}, {0: 2.0}).p)
    assert math.isnan(difference({0: 1.0}, {1: 2.0}).interval.mean)
    assert difference({0: 1.0, 1: 2.0}, {0: 1.0, 1: 2.0}).p == 1.0


def test_holm_by_hand():
    assert survivors([0.04, 0.001, 0.02, math.nan]) == [True, True, True, False]
    assert survivors([0.04, 0.001, 0.03]) == [False, True, False]  # 0.03 > 0.05 / 2, and so the next too
    assert survivors([]) == []


def test_noise_is_seldom_called_more():
    """Equal arms, three seeds, twelve comparisons: in one of twenty benchmarks, at most, something is found."""
    rng = np.random.default_rng(0)
    found = 0
    for _ in range(300):
        ps = [difference(*(dict(enumerate(rng.normal(size=3))) for _ in range(2))).p for _ in range(12)]
        found += any(survivors(ps))
    assert found < 300 * 0.08
