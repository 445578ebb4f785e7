"""Smooth noise, one step for all places after the other."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def tiled_noise(u: NDArray[Any], v: NDArray[Any], knots: NDArray[Any], out: NDArray[Any]) -> None:
    """Values between the four knots about each place, by smoothstep along both sides."""
    side = len(knots)
    iu, iv = np.floor(u), np.floor(v)
    s, t = (f * f * (3 - 2 * f) for f in (u - iu, v - iv))

    def knot(right: int, up: int) -> NDArray[Any]:
        return knots[(iu.astype(np.int64) + right) % side, (iv.astype(np.int64) + up) % side]

    out[:] = (knot(0, 0) * (1 - s) + knot(1, 0) * s) * (1 - t) + (knot(0, 1) * (1 - s) + knot(1, 1) * s) * t
