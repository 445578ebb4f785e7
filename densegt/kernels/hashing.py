"""Stateless pseudo-random numbers of grid positions, independent of the order of threads."""

from __future__ import annotations

import math

import numpy as np
from numba import njit


@njit(cache=True)
def lattice(i: int, j: int, k: int, seed: int) -> float:
    """A number in [0, 1) of a grid cell (splitmix64 of its indices)."""
    key = np.int64(i) * 73856093 + np.int64(j) * 8349279101 + np.int64(k) * 5915587277 + np.int64(seed) * 1500450271
    z = np.uint64(key) + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    return float(z >> np.uint64(11)) * (1.0 / 9007199254740992.0)


@njit(cache=True)
def value_noise(x: float, y: float, z: float, seed: int) -> float:
    """Smooth noise in [0, 1) with cells of size 1."""
    i, j, k = math.floor(x), math.floor(y), math.floor(z)
    u, v, w = x - i, y - j, z - k
    u, v, w = u * u * (3 - 2 * u), v * v * (3 - 2 * v), w * w * (3 - 2 * w)
    total = 0.0
    for c in range(2 if w > 0.0 else 1):
        low = lattice(i, j, k + c, seed) * (1 - u) + lattice(i + 1, j, k + c, seed) * u
        high = lattice(i, j + 1, k + c, seed) * (1 - u) + lattice(i + 1, j + 1, k + c, seed) * u
        total += (w if c else 1 - w) * (low * (1 - v) + high * v)
    return total
