"""Figures of surfels by the sweeps that measured them, against the twin."""

from __future__ import annotations

import numpy as np
import pytest

from densegt.kernels.measurement import OfSurfel, OfSweep, measured_by

from ..twins import twin_of


@pytest.mark.parametrize(("n", "static", "transient"), [(0, 0, 0), (1, 1, 0), (90, 40, 20), (90, 0, 0), (90, 30, 60)])
def test_measured_by_equals_twin(n: int, static: int, transient: int) -> None:
    rng = np.random.default_rng(n + static)
    of_sweep = OfSweep(*(rng.uniform(1, 9, 5).astype(np.float32) for _ in range(2)), rng.random(5) < 0.5)
    sweep, time_s = rng.integers(0, 5, n).astype(np.int32), rng.choice([1.5, 2.0, 2.25, 2.5, 4], n).astype(np.float32)
    answers = []
    for kernel in (measured_by, twin_of(measured_by)):
        out = OfSurfel(*(np.full(n, 7, dtype) for dtype in (*[np.float32] * 3, *[np.bool_] * 3)))
        kernel(sweep, time_s, of_sweep, 2.0, 0.5, static, transient, out)
        answers.append(out)
    for got, wanted in zip(*answers, strict=True):
        np.testing.assert_array_equal(got, wanted)
