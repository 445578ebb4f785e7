"""Completion without weights: depth goes on along surfaces and stops at the image's edges."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from densegt.completion.calibration import read_calibration
from densegt.completion.method import MIN_DEPTH_M, CompletedDepth, SparseDepth, measured
from densegt.completion.sky_colour import is_day, sky_coloured, sky_samples
from densegt.completion.weights import CLASSICAL_CALIBRATION
from densegt.kernels.departure import departure
from densegt.kernels.expected_error import expected_error
from densegt.kernels.farthest_around import farthest_around
from densegt.kernels.fill_from_nearest import FilledDepth, fill_from_nearest
from densegt.kernels.invert import invert
from densegt.kernels.nearest_measured import FIFTHS_PER_PX, NearestKeys, nearest_above, nearest_below
from densegt.kernels.open_sky import MAX_BLUE, open_sky
from densegt.kernels.slopes_across import slopes_across

Float32 = NDArray[np.float32]

# Chosen on simulated worlds (seeds 11, 12, 303) from one sweep and from accumulated depth; all are flat optima.
SAME_SURFACE = 0.05
FORETOLD = 0.1
SLOPE_REACH_PX = 12
SLOPE_TOLERANCE = 0.1
SKY_BRIGHTNESS = 195
SKY_MAX_YELLOW = 10
SKY_MAX_STEP = 24
SKY_MIN_DISTANCE_PX = 20
DARK_SKY_MAX_STEP = 5
OUTLINE_STEP_PX = 3

# Weights of `expected_error`, a row for each code of `Source`: depth, depth x distance in px, outline, dispute,
# the farthest around.
# Maximum likelihood of Gaussian errors, gross ones included: benchmarks/fitting/completion_uncertainty.py
# --every 5 on seeds 11 and 303, 4 s each; the last column, from 0.5 to 1.5 alike, where on seeds 72 and 75 the surest
# 90 % of accumulated depth have the least RMSE: it makes errors likelier than they are, but in the right order.
UNCERTAINTY = np.array(
    [
        [0.0, 0.0, 0.0, 0.0, 0.0],
        [0.0367, 0.0, 0.4921, 0.0, 0.0],
        [0.0283, 0.0, 0.7917, 0.0, 0.0],
        [0.1149, 0.0, 0.5284, 0.0, 0.0],
        [0.0767, 0.0, 3.0056, 0.0, 0.0],
        [0.0777, 0.0020, 0.6720, 2.6201, 0.7],
    ],
    dtype=np.float32,
)
MIN_INVERSE = 1e-6


@dataclass(frozen=True)
class Causes:
    """A filled map and what its error may come from; see `expected_error`. Arrays (H,W) float32.

    Attributes:
        keys: (H,W) int64, the nearest measured pixel above, below, at the left, at the right; see `nearest_measured`.
            The latter two were made in the transposed image: their row is a column.
    """

    inverse: Float32
    spread: Float32
    farthest: Float32
    reach_px: Float32
    departure: Float32
    keys: tuple[NDArray[np.int64], ...]


class Classical:
    """The method. Keeps its working arrays between images of one size, so one object serves one thread.

    Args:
        uncertainty: weights of `expected_error`.

    Attributes:
        calibration: of what it says of its error; None leaves that as `expected_error` gives it.
    """

    def __init__(self, uncertainty: Float32 = UNCERTAINTY) -> None:
        self._uncertainty = uncertainty
        self.calibration = read_calibration(CLASSICAL_CALIBRATION)
        self._work = _Workspace.of((0, 0))

    def __call__(self, given: SparseDepth) -> CompletedDepth:
        """Fill what is unknown, except open sky; what is measured stays as it is.

        Raises:
            ValueError: a side is longer than 32768 px.
        """
        done, _ = self.complete(given)
        return done if self.calibration is None else self.calibration(given, done, ~measured(given.depth_m))

    def complete(self, given: SparseDepth) -> tuple[CompletedDepth, Causes]:
        """The same, not calibrated, with what the error may come from; the next image overwrites the causes."""
        causes = self.fill(given)
        depth_m, uncertainty_m = np.empty_like(given.depth_m), np.empty_like(given.depth_m)
        if given.depth_m.size == 0:
            return CompletedDepth(depth_m, uncertainty_m), causes
        invert(causes.inverse, MIN_INVERSE, depth_m)
        np.copyto(depth_m, given.depth_m, where=measured(given.depth_m))
        expected_error(
            causes.inverse, causes.departure, causes.spread, causes.farthest, causes.reach_px, given.source,
            self._uncertainty, uncertainty_m,
        )  # fmt: skip
        return CompletedDepth(depth_m, uncertainty_m), causes

    def fill(self, given: SparseDepth) -> Causes:
        """The filled map; its arrays are overwritten by the next image."""
        shape = given.depth_m.shape
        if max(shape) > 1 << 15:
            raise ValueError(f"depth is {shape}; at most 32768 px a side")
        if self._work.shape != shape:
            self._work = _Workspace.of(shape)
        work = self._work
        if given.depth_m.size == 0:
            return work.causes()
        inverse, guide = work.inverse, _brightness(given.image)
        invert(given.depth_m, MIN_DEPTH_M, inverse)
        nearest_above(guide, inverse, work.above)
        nearest_below(guide, inverse, work.below)
        guide_t, inverse_t = _transposed(guide), _transposed(inverse)
        nearest_above(guide_t, inverse_t, work.left)
        nearest_below(guide_t, inverse_t, work.right)
        slopes_across(inverse, SLOPE_REACH_PX, SLOPE_TOLERANCE, work.slope_across)
        min_key = int(SKY_MIN_DISTANCE_PX * FIFTHS_PER_PX) << 32
        sky_image, max_step = _sky_image(given.image, inverse_t > 0)
        open_sky(
            sky_image, guide, work.above, work.below,
            SKY_BRIGHTNESS, SKY_MAX_YELLOW, max_step, min_key, work.open_sky,
        )  # fmt: skip
        keys = NearestKeys(work.above, work.below, work.left, work.right)
        filled = FilledDepth(work.filled, work.spread, work.reach_px)
        fill_from_nearest(inverse, work.slope_across, keys, work.open_sky, SAME_SURFACE, FORETOLD, filled)
        farthest_around(inverse, keys, work.farthest)
        departure(work.filled, OUTLINE_STEP_PX, work.departure)
        return work.causes()


def _brightness(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(H,W), smoothed over 3x3 so that noise is no edge."""
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    return np.asarray(cv2.GaussianBlur(grey, (3, 3), 0), dtype=np.uint8)


def _sky_image(image: NDArray[np.uint8], known_t: NDArray[np.bool_]) -> tuple[NDArray[np.uint8], int]:
    """An image (H,W,3) whose sky is bright, and how much its brightness may change from pixel to pixel: by day that of
    the camera; else white where the camera's has the colour of what beams went through.

    Args:
        known_t: (W,H) measured pixels of the transposed image.
    """
    samples = sky_samples(image, known_t)
    if samples is None or is_day(np.median(samples[1], axis=0), SKY_BRIGHTNESS, SKY_MAX_YELLOW, MAX_BLUE):
        return image, SKY_MAX_STEP
    coloured = sky_coloured(image, known_t.T, *samples)
    if coloured is None:
        return image, SKY_MAX_STEP
    return np.repeat(np.where(coloured, np.uint8(255), np.uint8(0))[..., None], 3, axis=2), DARK_SKY_MAX_STEP


def _transposed(array: NDArray[Any]) -> NDArray[Any]:
    """(W,H), contiguous."""
    return np.asarray(cv2.transpose(array))


@dataclass(frozen=True)
class _Workspace:
    """Arrays to fill; a fresh one each time would cost more than filling it."""

    shape: tuple[int, ...]
    above: NDArray[np.int64]
    below: NDArray[np.int64]
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    open_sky: NDArray[np.bool_]
    inverse: Float32
    slope_across: Float32
    filled: Float32
    spread: Float32
    farthest: Float32
    reach_px: Float32
    departure: Float32

    def causes(self) -> Causes:
        """What was filled."""
        keys = (self.above, self.below, self.left.T, self.right.T)
        return Causes(self.filled, self.spread, self.farthest, self.reach_px, self.departure, keys)

    @classmethod
    def of(cls, shape: tuple[int, ...]) -> _Workspace:
        def values() -> Float32:
            return np.empty(shape, np.float32)

        return cls(
            shape,
            above=np.empty(shape, np.int64),
            below=np.empty(shape, np.int64),
            left=np.empty(shape[::-1], np.int64),
            right=np.empty(shape[::-1], np.int64),
            open_sky=np.empty(shape, np.bool_),
            inverse=values(),
            slope_across=values(),
            filled=values(),
            spread=values(),
            farthest=values(),
            reach_px=values(),
            departure=values(),
        )
