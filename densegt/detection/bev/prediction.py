"""What a trained Lift-Splat detector says of keyframes, in numbers outside of torch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from densegt.detection.prediction import Prediction

Float32 = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class LssPrediction(Prediction):
    """Of one keyframe with V views; depth is of each pixel of the network's input, pixels of a cell share it.

    Attributes:
        images: (V,H,W,3) uint8, as the network saw them.
        vehicles: (Y,X) probability; truth: (Y,X) bool.
        labels: (N,9) boxes that the dataset has, in ref.
    """

    images: NDArray[np.uint8]
    vehicles: Float32
    truth: NDArray[np.bool_]
    labels: Float32
