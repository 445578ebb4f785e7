"""Rectangles on the ground plane, and which of them are kept."""

from __future__ import annotations

import numpy as np
import pytest

from densegt.kernels.rotated_overlap import ROOM, overlap_m2, rotated_overlap
from densegt.kernels.suppress_overlapping import suppress_overlapping

from ..twins import twin_of


def rectangles(seed: int, n: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    out = np.column_stack([rng.uniform(-6, 6, (n, 2)), rng.uniform(0.2, 8, (n, 2)), rng.uniform(-7, 7, n)])
    out[: n // 5] = out[n // 5 : 2 * (n // 5)]  # the same
    out[n - n // 9 :, 0] = np.nan
    return out


@pytest.mark.parametrize(("n", "m"), [(0, 3), (1, 1), (30, 20)])
def test_overlap_equals_twin(n: int, m: int) -> None:
    a, b = rectangles(1, n), rectangles(2, m)
    b[: min(n, m) // 2] = a[: min(n, m) // 2]
    got, wanted = np.full((n, m), 7.0), np.full((n, m), 9.0)
    rotated_overlap(a, b, got)
    twin_of(rotated_overlap)(a, b, wanted)
    np.testing.assert_allclose(got, wanted, atol=1e-6)
    if n and m:
        room = np.empty((2, ROOM, 2))
        assert overlap_m2(a[0], b[0], *room) == got[0, 0] == pytest.approx(twin_of(overlap_m2)(a[0], b[0], *room))


@pytest.mark.parametrize(("n", "most"), [(0, 5), (1, 1), (40, 40), (40, 6)])
def test_suppression_equals_twin(n: int, most: int) -> None:
    boxes = rectangles(3, n)[: n - n // 9]
    got, wanted = np.full(most, -7), np.full(most, -7)
    count = suppress_overlapping(boxes, 0.2, most, got)
    assert count == twin_of(suppress_overlapping)(boxes, 0.2, most, wanted)
    np.testing.assert_array_equal(got, wanted)
    assert n < 40 or count < n
