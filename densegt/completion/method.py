"""A completion method's input and output."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from densegt.depth.depth_map import Source

Float32 = NDArray[np.float32]
# Less is noise of the store's 1/256 m.
MIN_DEPTH_M = 1 / 256


@dataclass(frozen=True)
class SparseDepth:
    """One image and the known part of its depth.

    Attributes:
        image: (H,W,3) uint8 RGB.
        depth_m: (H,W) float32 z-depth; not finite or not positive = unknown.
        source: (H,W) uint8, codes of `Source`; none where depth is unknown.
        K: (3,3) px, where known.
        layers: what else the store holds of the image, by name (`age`, `confidence`, ...), each (H,W).
    """

    image: NDArray[np.uint8]
    depth_m: Float32
    source: NDArray[np.uint8]
    K: NDArray[np.float64] | None = None
    layers: Mapping[str, NDArray[Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        shape = self.depth_m.shape
        if len(shape) != 2 or self.image.shape != (*shape, 3) or self.source.shape != shape:
            raise ValueError(f"image {self.image.shape}, depth {shape} and source {self.source.shape} do not fit")
        if self.image.dtype != np.uint8 or self.source.dtype != np.uint8 or self.depth_m.dtype != np.float32:
            raise ValueError(
                f"image, source and depth are {self.image.dtype}, {self.source.dtype}, {self.depth_m.dtype}; "
                "they must be uint8, uint8, float32"
            )
        if self.source.size and int(self.source.max()) >= len(Source):
            raise ValueError(f"source has code {int(self.source.max())}; the highest is {len(Source) - 1}")


@dataclass(frozen=True)
class CompletedDepth:
    """Depth and its uncertainty as a method completes them.

    Attributes:
        depth_m: (H,W) float32; 0 = nothing there, or no answer. What was measured and is believed is equal to the
            last bit; where it differs, the method had evidence against the measurement.
        uncertainty_m: (H,W) float32, what 68 % of errors are less than; 0 where there is no depth.
        confidence: (H,W) float32, of filled pixels the probability that depth is right to max(0.5 m, 5 %), of others 0;
            None where the method does not know.
    """

    depth_m: Float32
    uncertainty_m: Float32
    confidence: Float32 | None = None

    def __post_init__(self) -> None:
        if self.depth_m.ndim != 2 or self.depth_m.shape != self.uncertainty_m.shape:
            raise ValueError(f"depth {self.depth_m.shape} and uncertainty {self.uncertainty_m.shape} do not fit")


Method = Callable[[SparseDepth], CompletedDepth]


def measured(depth_m: Float32) -> NDArray[np.bool_]:
    """Where a depth (H,W) is known: finite and not less than the store's own step."""
    return (depth_m >= MIN_DEPTH_M) & (depth_m < np.inf)
