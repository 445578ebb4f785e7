"""Quantisation of metres, seconds and probabilities to the integers of a store."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(cache=True, nogil=True)
def depth_steps(depth_m: NDArray[np.floating[Any]], steps_per_m: float, out: NDArray[np.uint16]) -> None:
    """Write to `out` (N,) the nearest step of each depth (N,); 0 if not positive, not finite or beyond 65535 steps."""
    greatest = 65535 / steps_per_m
    for i in range(len(depth_m)):
        known = 0 < depth_m[i] <= greatest
        out[i] = np.uint16(np.rint(depth_m[i] * steps_per_m)) if known else np.uint16(0)


@njit(cache=True, nogil=True)
def age_steps(age_s: NDArray[np.float32], out: NDArray[np.int16]) -> None:
    """Write to `out` (N,) the ages (N,) in ms, clipped to int16; 0 for NaN."""
    for i in range(len(age_s)):
        age_ms = np.rint(np.float64(age_s[i]) * 1e3)
        out[i] = np.int16(min(max(age_ms, -32768.0), 32767.0)) if age_ms == age_ms else np.int16(0)


@njit(cache=True, nogil=True)
def probability_steps(probability: NDArray[np.float32], out: NDArray[np.uint8]) -> None:
    """Write to `out` (N,) the probabilities (N,) x 255, clipped and rounded; 0 for NaN."""
    for i in range(len(probability)):
        p = probability[i]
        out[i] = np.uint8(np.rint(np.float32(255) * min(max(p, np.float32(0)), np.float32(1)))) if p == p else 0


@njit(cache=True, nogil=True)
def byte_planes(values: NDArray[np.uint8], out: NDArray[np.uint8]) -> None:
    """HDF5's shuffle filter: write to `out` (K,N) the first bytes of the values (N,K), then the second, and so on."""
    for k in range(values.shape[1]):
        for i in range(values.shape[0]):
            out[k, i] = values[i, k]
