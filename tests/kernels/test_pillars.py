"""Cells of a scan seen from above."""

from __future__ import annotations

import numpy as np

from densegt.kernels.pillars import fill_pillars

from ..twins import twin_of


def test_fill_pillars_is_as_its_twin() -> None:
    rng = np.random.default_rng(0)
    cell, part = rng.integers(0, 7, (200, 2)), rng.integers(0, 4, 200)
    height, intensity = rng.normal(1, 1, 200).astype(np.float32), rng.random(200, dtype=np.float32)
    got, wanted = np.zeros((2, 8, 9, 7), dtype=np.float32)
    for fill, out in ((fill_pillars, got), (twin_of(fill_pillars), wanted)):
        fill(cell, part, height, intensity, out)
    np.testing.assert_allclose(got, wanted, rtol=1e-5, atol=1e-6)
    assert not got[7].any()
    assert not got[:, 7:].any()
