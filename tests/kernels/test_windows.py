"""Beams around each direction of a range image."""

from __future__ import annotations

import numpy as np
import pytest

from densegt.kernels.windows import answers_around, nearest_around

from ..twins import twin_of


@pytest.mark.parametrize("shape", [(2, 4), (5, 30)])
@pytest.mark.parametrize("answers", [0.0, 0.5, 1.0])
def test_windows_equal_twins(shape: tuple[int, int], answers: float) -> None:
    rng = np.random.default_rng(shape[1])
    image = np.where(rng.random(shape) < answers, rng.choice([2.0, 3.0, 60.0], shape), 0).astype(np.float32)
    found = []
    for nearest, answered in ((nearest_around, answers_around), (twin_of(nearest_around), twin_of(answers_around))):
        out = [np.full((shape[0] - 1, shape[1]), 7, t) for t in (np.float32, np.float32, np.uint8)]
        nearest(image, out[0])
        answered(image, *out[1:])
        found.append(out)
    for got, wanted in zip(*found, strict=True):
        np.testing.assert_array_equal(got, wanted)
