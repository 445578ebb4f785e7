"""Slow twins of densegt.kernels.hashing."""

from __future__ import annotations

import math

import numpy as np


def lattice(i, j, k, seed):
    """Splitmix64 in Python's whole numbers."""
    mask = (1 << 64) - 1
    z = (i * 73856093 + j * 8349279101 + k * 5915587277 + seed * 1500450271 + 0x9E3779B97F4A7C15) & mask
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & mask
    z = (z ^ z >> 27) * 0x94D049BB133111EB & mask
    return ((z ^ z >> 31) >> 11) / 2**53


def value_noise(x, y, z, seed):
    """The eight corners of the cell, each with the product of its smooth weights."""
    corner = [math.floor(v) for v in (x, y, z)]
    f = [v - c for v, c in zip((x, y, z), corner, strict=True)]
    smooth = [v * v * (3 - 2 * v) for v in f]
    total = 0.0
    for step in np.ndindex(2, 2, 2):
        weight = math.prod(s if up else 1 - s for s, up in zip(smooth, step, strict=True))
        total += weight * lattice(*(c + up for c, up in zip(corner, step, strict=True)), seed)
    return total
