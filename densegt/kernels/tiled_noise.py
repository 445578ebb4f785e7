"""Smooth noise for procedural textures."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

ONE, TWO, THREE = np.float32(1), np.float32(2), np.float32(3)


@njit(cache=True)
def tiled_noise(u: NDArray[Any], v: NDArray[Any], knots: NDArray[Any], out: NDArray[Any]) -> None:
    """Values (N,) at places (N,) between the knots (S,S) of a square grid, one a unit, that repeats; S a power of 2."""
    last = knots.shape[0] - 1
    for i in range(u.shape[0]):
        left, low = np.floor(u[i]), np.floor(v[i])
        s, t = u[i] - left, v[i] - low
        s, t = s * s * (THREE - TWO * s), t * t * (THREE - TWO * t)
        a, b = np.int64(left) & last, np.int64(low) & last
        c, d = (a + 1) & last, (b + 1) & last
        below = knots[a, b] * (ONE - s) + knots[c, b] * s
        above = knots[a, d] * (ONE - s) + knots[c, d] * s
        out[i] = below * (ONE - t) + above * t
