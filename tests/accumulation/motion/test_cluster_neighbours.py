"""What lies beside clusters in other turns, against a plain loop."""

from __future__ import annotations

import numpy as np

from densegt.accumulation.motion.cluster_neighbours import CELL_M, TURNS, means_beside


def test_means_are_those_of_a_plain_loop() -> None:
    rng = np.random.default_rng(3)
    xy = rng.uniform(-6, 6, (300, 2)).astype(np.float32)
    moment, values = rng.integers(0, 8, 300), rng.normal(size=(300, 2))
    # Clusters of one turn each, as they are given.
    cluster = np.unique(moment * 4 + (xy[:, 0] > 0) * 2 + (xy[:, 1] > 0), return_inverse=True)[1]
    count = int(cluster.max()) + 1
    means, seen = means_beside(xy, moment, cluster, values, count)
    cell = np.floor(xy / CELL_M).astype(int)
    for k in range(count):
        mine = cluster == k
        apart = np.abs(cell[:, None] - cell[None, mine]).max(axis=2).min(axis=1)
        near = (apart <= 1) & (np.abs(moment - moment[mine][0]) <= TURNS) & (moment != moment[mine][0])
        assert seen[k] == near.any()
        np.testing.assert_allclose(means[k], values[near].mean(axis=0) if near.any() else 0.0, atol=1e-12)


def test_nothing_is_beside_what_is_seen_once() -> None:
    xy, one = np.array([[0.5, 0.5], [30.0, 0.0]], dtype=np.float32), np.ones((2, 1))
    means, seen = means_beside(xy, np.array([0, 1]), np.array([0, 1]), one, 2)
    assert not seen.any()
    assert not means.any()
    assert means_beside(xy[:0], np.zeros(0, int), np.zeros(0, int), one[:0], 0)[0].shape == (0, 1)
