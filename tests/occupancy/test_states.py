"""From evidence to states."""

from __future__ import annotations

import numpy as np

from densegt.kernels.carve_beams import ALL_SLABS, Passes
from densegt.occupancy.config import EvidenceConfig
from densegt.occupancy.pipeline import most_beside, states
from densegt.occupancy.voxels import State

RULE = EvidenceConfig()


def counts(*values: int) -> np.ndarray:
    return np.array(values, np.uint16).reshape(-1, 1, 1)


def states_of(hits: np.ndarray, beams: np.ndarray, moves: list[bool] | None = None) -> list[int]:
    slabs = np.where(beams > 0, ALL_SLABS, 0).astype(np.uint16)
    some = np.array(moves or [False] * len(hits)).reshape(-1, 1, 1)
    out: list[int] = states(hits, Passes(beams, slabs), some, RULE).ravel().tolist()
    return out


def test_near_surfaces_evidence_for_wins() -> None:
    got = states_of(counts(1, 0, 1, 0, 0, 0), counts(20, 0, 21, 1, 2, 0))
    free, full, none = State.FREE, State.OCCUPIED, State.UNOBSERVED
    assert got == [full, none, free, none, free, none]


def test_the_edge_of_a_neighbours_surface_says_nothing() -> None:
    # What no beam passed through, what some did, movers through which half as many did, or fewer.
    assert states_of(counts(100, 1, 0, 100, 2), counts(0, 0, 0, 0, 0)) == [2, 0, 0, 2, 2]
    assert states_of(counts(100, 9, 0, 100, 10), counts(0, 5, 0, 0, 5)) == [2, 0, 0, 2, 2]
    assert states_of(counts(100, 19, 0, 100, 20), counts(0, 10, 0, 0, 10), [True] * 5) == [2, 0, 0, 2, 2]
    assert states_of(counts(100, 9, 0, 100, 1), counts(0, 4, 0, 0, 0), [True] * 5) == [2, 2, 0, 2, 0]


def test_the_most_beside_each_voxel() -> None:
    hits = np.random.default_rng(0).integers(0, 99, (4, 5, 3)).astype(np.uint16)
    padded, got = np.pad(hits, 1), most_beside(hits)
    for x, y, z in np.ndindex(hits.shape):
        a, b, c = x + 1, y + 1, z + 1
        beside = (
            padded[a + d, b + e, c + f] for d, e, f in np.concatenate([np.eye(3, dtype=int), -np.eye(3, dtype=int)])
        )
        assert got[x, y, z] == max(beside)
