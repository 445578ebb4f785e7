"""Quantisation of metres, seconds and probabilities to the integers of a store."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

# Each value is worked out and then chosen or not: compilers make vectors of that, and not of branches.


@njit(cache=True, nogil=True)
def depth_steps(
    depth_m: NDArray[np.floating[Any]], steps_per_m: np.floating[Any] | float, out: NDArray[np.uint16]
) -> None:
    """Write to `out` (N,) the nearest step of each depth (N,); 0 if not positive, not finite or beyond 65535 steps."""
    greatest = np.float32(65535)
    for i in range(len(depth_m)):
        steps = depth_m[i] * steps_per_m
        known = (steps > 0) & (steps <= greatest)
        out[i] = np.uint16(np.int32(np.rint(steps) if known else 0))


@njit(cache=True, nogil=True)
def age_steps(age_s: NDArray[np.float32], out: NDArray[np.int16]) -> None:
    """Write to `out` (N,) the ages (N,) in ms, clipped to int16; 0 for NaN."""
    for i in range(len(age_s)):
        age_ms = np.rint(np.float64(age_s[i]) * 1e3)
        held = min(max(age_ms, -32768.0), 32767.0)
        out[i] = np.int16(np.int32(held if age_ms == age_ms else 0.0))


@njit(cache=True, nogil=True)
def probability_steps(probability: NDArray[np.float32], out: NDArray[np.uint8]) -> None:
    """Write to `out` (N,) the probabilities (N,) x 255, clipped and rounded; 0 for NaN."""
    zero, one = np.float32(0), np.float32(1)
    for i in range(len(probability)):
        p = probability[i]
        steps = np.rint(np.float32(255) * min(max(p, zero), one))
        out[i] = np.uint8(np.int32(steps if p == p else zero))


@njit(cache=True, nogil=True)
def byte_planes(values: NDArray[np.uint8], out: NDArray[np.uint8]) -> None:
    """HDF5's shuffle filter: write to `out` (K,N) the first bytes of the values (N,K), then the second, and so on."""
    for k in range(values.shape[1]):
        for i in range(values.shape[0]):
            out[k, i] = values[i, k]


@njit(cache=True, nogil=True)
def join_two_planes(low: NDArray[np.uint8], high: NDArray[np.uint8], out: NDArray[np.uint16]) -> None:
    """Write to `out` (N,) the values of which these are the low and the high bytes (N,)."""
    for i in range(len(out)):
        out[i] = np.uint16(low[i]) | np.uint16(np.uint16(high[i]) << np.uint16(8))
