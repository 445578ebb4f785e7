"""What each pixel of a rendered image shows, before anyone asks how sure that is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]
Bool = NDArray[np.bool_]


@dataclass(frozen=True)
class InterpolatedDepth:
    """What each pixel shows.

    Attributes:
        depth_m: (H,W) float32, 0 = unknown.
        row_of: (H,W) int32, the surfel that it comes from, -1 for none.
        measured: (H,W), a point falls into the pixel.
        between: (H,W), filled from two pixels on either side. The rest is covered by a surfel.
        inverse_slope: (H,W,2) 1/(m px), of inverse depth on that surfel.
    """

    depth_m: Float32
    row_of: NDArray[np.int32]
    measured: Bool
    between: Bool
    inverse_slope: Float32
