"""Neighbours of a return in a sweep."""

from __future__ import annotations

import numpy as np
import pytest

from densegt.kernels.ring_neighbours import ring_neighbours

from ..twins import twin_of


@pytest.mark.parametrize("sizes", [[], [0], [1], [5, 0, 7], [40, 60, 1, 30]])
def test_ring_neighbours_equal_twin(sizes: list[int]) -> None:
    rng = np.random.default_rng(len(sizes))
    azimuth = np.concatenate([np.sort(rng.uniform(-np.pi, np.pi, n)) for n in sizes] or [[]]).astype(np.float32)
    start = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    got, wanted = np.full((len(azimuth), 4), -9, np.int32), np.full((len(azimuth), 4), -9, np.int32)
    ring_neighbours(start, azimuth, 0.3, got)
    twin_of(ring_neighbours)(start, azimuth, np.float32(0.3), wanted)
    np.testing.assert_array_equal(got, wanted)
