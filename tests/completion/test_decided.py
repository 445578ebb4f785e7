"""The depth that is answered of many choices: a likely surface, told of by one or several of them, else the mean."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from densegt.completion.features import ALTERNATIVES, CHANNELS  # noqa: E402
from densegt.completion.model import CHOICES, DECIDED, SAME_SURFACE, CompletionOutput, decided  # noqa: E402

MEAN = 0.5
FAR = [0.0, 2.0, 2.5, 1.0, -1.0]


def answered(shares, alternatives, wrong=-5.0):
    """The log change at one pixel, of choices of these shares; the first is the guess."""
    channels = torch.zeros(1, CHANNELS, 1, 1)
    channels[0, ALTERNATIVES, 0, 0] = torch.tensor(alternatives)
    one = torch.ones(1, 1, 1, 1)
    log_shares = torch.tensor(shares).clamp(min=1e-9).log().reshape(1, CHOICES, 1, 1)
    return float(decided(CompletionOutput(MEAN * one, one, -one, wrong * one, log_shares), channels))


def reference(shares, alternatives):
    """The same, slow and obvious."""
    changes = np.array([0.0, *alternatives], np.float32)
    groups = [np.abs(changes - own) < SAME_SURFACE for own in changes]
    weights = [np.sum(np.asarray(shares)[group]) for group in groups]
    best = int(np.argmax(weights))
    if weights[best] <= DECIDED:
        return MEAN
    group = groups[best]
    return float(np.sum((np.asarray(shares) * changes)[group]) / weights[best])


def test_a_likely_choice_is_taken_as_it_is():
    assert answered([0.1, 0.0, 0.8, 0.1, 0.0, 0.0], FAR) == pytest.approx(2.0)


def test_choices_of_one_surface_count_together():
    """What four sides say, each a little, is not moved by the fifth, which is far."""
    near = [0.02, -0.02, 0.04, 2.5, 0.0]
    assert answered([0.2, 0.2, 0.2, 0.2, 0.2, 0.0], near) == pytest.approx(0.01, abs=1e-3)


def test_the_mean_where_nothing_is_likely():
    assert answered([0.3, 0.0, 0.3, 0.2, 0.2, 0.0], FAR) == MEAN


def test_a_wrong_measurement_gets_the_mean():
    assert answered([1.0, 0.0, 0.0, 0.0, 0.0, 0.0], FAR, wrong=1.0) == MEAN


def test_as_the_reference():
    rng = np.random.default_rng(0)
    for _ in range(300):
        shares = rng.dirichlet(np.full(CHOICES, 0.5)).astype(np.float32)
        alternatives = rng.choice([0.0, 0.05, -0.06, 1.0, 1.04, 2.0], CHOICES - 1).astype(np.float32)
        assert answered(shares, alternatives) == pytest.approx(reference(shares, alternatives), abs=1e-5)
