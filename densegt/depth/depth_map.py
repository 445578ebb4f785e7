"""DepthMap: what rendering makes and the store keeps."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray


class Source(IntEnum):
    """Where a pixel's depth comes from (codes of the store's `source` layer)."""

    NONE = 0
    OWN_SWEEP = 1
    STATIC = 2
    MOVER = 3
    SURFACE = 4
    COMPLETED = 5
    SHAPE = 6


@dataclass(frozen=True)
class DepthMap:
    """Depth of one image.

    Attributes:
        depth_m: (H,W) float32 z-depth in cam; 0 = unknown.
        source: (H,W) uint8, codes of `Source`.
        age_s: (H,W) float32, measurement's time minus exposure; 0 where unknown.
        confidence: (H,W) float32, probability that the depth is right, 0 where unknown; None where nobody says.
    """

    depth_m: NDArray[np.float32]
    source: NDArray[np.uint8]
    age_s: NDArray[np.float32]
    confidence: NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        if not self.depth_m.shape == self.source.shape == self.age_s.shape or self.depth_m.ndim != 2:
            raise ValueError(f"layers differ in shape: {self.depth_m.shape} {self.source.shape} {self.age_s.shape}")
