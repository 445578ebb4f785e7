"""PointLabels: what each point of a scene is said to be, and what is not asked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from densegt.depth.point_votes import NO_CLASS

# Slower than the first stands, faster than the second moves; between them nothing is asked.
STILL_MPS, MOVING_MPS = 0.2, 0.5
UNKNOWN = -1


@dataclass(frozen=True)
class PointLabels:
    """Of a scene's points (N).

    Attributes:
        moving: (N,) int8, 1 or 0, UNKNOWN where nothing is asked.
        kind: (N,) uint8 index into CLASSES, NO_CLASS where nothing is asked.
        thing: (N,) int32 of the object each belongs to, 0 for none.
        speed_mps: (N,) float32, NaN where nothing is asked.
        centre: (N,2) float32 m of the object's middle at the point's time, global minus origin; NaN for none.
    """

    moving: NDArray[np.int8]
    kind: NDArray[np.uint8]
    thing: NDArray[np.int32]
    speed_mps: NDArray[np.float32]
    centre: NDArray[np.float32]

    @classmethod
    def nothing(cls, count: int, *, moving: int) -> PointLabels:
        """Points of no object and no class, which all stand still, or of which nothing is known."""
        return cls(
            np.full(count, moving, np.int8), np.full(count, NO_CLASS, np.uint8), np.zeros(count, np.int32),
            np.full(count, np.nan, np.float32), np.full((count, 2), np.nan, np.float32),
        )  # fmt: skip


def moving_by_speed(speed_mps: NDArray[np.float32]) -> NDArray[np.int8]:
    """1, 0 or UNKNOWN by speed (N,)."""
    still = np.where(speed_mps < STILL_MPS, 0, UNKNOWN)
    return np.where(speed_mps > MOVING_MPS, 1, still).astype(np.int8)
