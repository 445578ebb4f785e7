"""Cells of a scan seen from above."""

from __future__ import annotations

import numpy as np

from densegt.kernels.pillars import add_shares, fill_pillars, fullness

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


def test_add_shares_is_as_its_twin() -> None:
    rng = np.random.default_rng(1)
    cell, shares = rng.integers(0, 7, (200, 2)), rng.random((200, 3), dtype=np.float32)
    got, wanted = np.zeros((2, 3, 8, 9), dtype=np.float32)
    counts = np.zeros((2, 8, 9), dtype=np.int32)
    for add, count, out in ((add_shares, counts[0], got), (twin_of(add_shares), counts[1], wanted)):
        add(cell, shares, count, out)
    np.testing.assert_allclose(got, wanted, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(counts[0], counts[1])


def test_fullness_is_as_its_twin() -> None:
    rng = np.random.default_rng(2)
    pillars, cell, part = rng.random((8, 9, 7), np.float32), rng.integers(0, 8, (50, 2)), rng.integers(0, 4, 50)
    got, wanted = np.empty((2, 2, 50), dtype=np.float32)
    fullness(pillars, cell, part, *got)
    twin_of(fullness)(pillars, cell, part, *wanted)
    np.testing.assert_array_equal(got, wanted)
