"""How sure a voxel's state is, from how much evidence there is for and against it."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from densegt.occupancy.voxels import State

Counts = NDArray[np.uint16]
# From each of these on evidence is in the next bin.
BINS = (1, 2, 4, 8, 16, 32, 64, 128)


def evidence_bin(counts: Counts) -> NDArray[np.intp]:
    """Bin (N,) of counts (N,), 0 to len(BINS)."""
    return np.searchsorted(np.array(BINS), counts, side="right")


def confidence(state: NDArray[np.uint8], hits: Counts, passes: Counts) -> NDArray[np.float32]:
    """Probability (X,Y,Z) that a state is right, 0 where unobserved."""
    known = state != State.UNOBSERVED
    out = np.zeros(state.shape, np.float32)
    out[known] = confidence_table()[state[known] - 1, evidence_bin(hits[known]), evidence_bin(passes[known])]
    return out


@cache
def confidence_table() -> NDArray[np.float32]:
    """Probabilities (2,H,P) by state, free and occupied, and bins of hits and passes."""
    text = (files("densegt.occupancy") / "confidence.json").read_text()
    return np.array(json.loads(text)["probability"], dtype=np.float32)
