"""Depth, age and confidence as the whole numbers that a store holds."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from densegt.depth.depth_map import DepthMap
from densegt.kernels.quantise import age_steps, depth_steps, probability_steps

STEPS_PER_M = 256.0
MAX_DEPTH_M = 65535 / STEPS_PER_M


def encode_depth(depth_m: NDArray[np.floating[Any]]) -> NDArray[np.uint16]:
    """Metres to uint16 steps of 1/256 m. What is not finite, not positive or beyond 255.99 m becomes 0."""
    steps = np.empty(depth_m.shape, dtype=np.uint16)
    # A power of two: float32 stays exact, and is twice as fast.
    per_m = np.float32(STEPS_PER_M) if depth_m.dtype == np.float32 else STEPS_PER_M
    depth_steps(depth_m.ravel(), per_m, steps.ravel())
    return steps


def decode_depth(steps: NDArray[np.uint16]) -> NDArray[np.float32]:
    """uint16 steps to metres (float32, exact)."""
    depth_m = steps.astype(np.float32)
    # In place; exact, as a power of two is.
    depth_m *= np.float32(1 / STEPS_PER_M)
    return depth_m


def encode_confidence(confidence: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Probability to 0..255, rounded; NaN becomes 0."""
    steps = np.empty(confidence.shape, dtype=np.uint8)
    probability_steps(confidence.ravel(), steps.ravel())
    return steps


def encode_age(age_s: NDArray[np.float32]) -> NDArray[np.int16]:
    """Seconds to milliseconds, held to what int16 holds; NaN becomes 0."""
    steps = np.empty(age_s.shape, dtype=np.int16)
    age_steps(age_s.ravel(), steps.ravel())
    return steps


def stored_layers(depth: DepthMap) -> dict[str, NDArray[Any]]:
    """The layers (H,W) of a depth map in the types of a store."""
    own: dict[str, NDArray[Any]] = {
        "depth": encode_depth(depth.depth_m),
        "source": depth.source,
        "age": encode_age(depth.age_s),
    }
    return own if depth.confidence is None else {**own, "confidence": encode_confidence(depth.confidence)}
