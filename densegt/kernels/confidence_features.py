"""Features of each pixel's depth that the confidence model reads."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from densegt.kernels.confidence_network import BLOCK, ConfidenceModel, confidence_network

# Columns that `confidence_features` writes, in order.
COLUMNS = (
    "agree",
    "farther",
    "jump_near",
    "jump_close",
    "weight",
    "weight_around",
    "layers",
    "moving",
    "sideways",
    "unknown",
    "log_depth",
    "age",
    "incidence",
    "covered",
    "between",
    "transient",
    "penetration",
)

# Mantissas from 2/3 to 4/3 keep the series short.
_TWO_THIRDS = np.int32(0x3F2AAAAB)
_THIRD, _FIFTH, _SEVENTH, _NINTH = np.float32(1 / 3), np.float32(1 / 5), np.float32(1 / 7), np.float32(1 / 9)
_LN2 = np.float32(np.log(2))

# Counts saturate here.
MAX_COUNT = 1024


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def _log(x: np.float32) -> np.float32:
    """Natural logarithm of a normal number above 0, right to 2e-7: exponent and the artanh series of the mantissa."""
    bits = np.float32(x).view(np.int32)
    exponent = np.int32((bits - _TWO_THIRDS) >> np.int32(23))
    m = np.int32(bits - np.int32(exponent << np.int32(23))).view(np.float32)
    s = (m - np.float32(1)) / (m + np.float32(1))
    t = s * s
    series = np.float32(1) + t * (_THIRD + t * (_FIFTH + t * (_SEVENTH + t * _NINTH)))
    return np.float32(exponent) * _LN2 + np.float32(2) * s * series


class FeatureImages(NamedTuple):
    """Images that features are computed from, flat: M = H x W, one index for all.

    Attributes:
        depth_m: (M,), 0 = unknown; surfel: (M,), index of the surfel it comes from, -1 = none.
        measured, between: (M,), a point of its own; interpolated between two such. Other known pixels are covered by
            surfels.
        agree, farther: (M,), see `plane_votes`.
        nearest_around_m, nearest_close_m: (M,), least depth in a wider and a smaller window.
        support: (M,), weight of the front surface times z^2; support_around: its maximum in a window.
        first_weight, second_weight: (M,), of the nearest layer of surfels and of the one behind.
        known_around: (M,), share of known pixels in a window.
        penetration: (M,), share of returns in a window that lie behind the front surface.
    """

    depth_m: NDArray[np.float32]
    surfel: NDArray[np.int32]
    measured: NDArray[np.bool_]
    between: NDArray[np.bool_]
    agree: NDArray[np.uint16]
    farther: NDArray[np.uint16]
    nearest_around_m: NDArray[np.float32]
    nearest_close_m: NDArray[np.float32]
    support: NDArray[np.float32]
    support_around: NDArray[np.float32]
    first_weight: NDArray[np.float32]
    second_weight: NDArray[np.float32]
    known_around: NDArray[np.float32]
    penetration: NDArray[np.float32]


class SurfelAttributes(NamedTuple):
    """What is known of the N surfels in a frustum besides their geometry.

    Attributes:
        moving: (N,) bool, on a moving object.
        transient: (N,) bool, on a moving object without a track, present for a moment.
        trust: (N,) float32, low where range noise shifts the surfel in the image, see `viewing_geometry`.
        age_s: (N,) float32, time of measurement minus exposure.
        incidence: (N,) float32, cosine of the angle between the camera's ray and the surfel's normal.
    """

    moving: NDArray[np.bool_]
    transient: NDArray[np.bool_]
    trust: NDArray[np.float32]
    age_s: NDArray[np.float32]
    incidence: NDArray[np.float32]


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def _pixel_features(at: int, log_count: NDArray[np.float32], images: FeatureImages, out: NDArray[np.float32]) -> None:
    """Fill the columns of `out` (17,) that do not depend on the surfel."""
    z = images.depth_m[at]
    out[0] = log_count[min(images.agree[at], MAX_COUNT - 1)]
    out[1] = log_count[min(images.farther[at], MAX_COUNT - 1)]
    one = np.float32(1)
    out[2] = min(z / images.nearest_around_m[at] - one, one)
    out[3] = min(z / images.nearest_close_m[at] - one, one)
    out[4] = _log(min(max(images.support[at], np.float32(1e-3)), np.float32(1e6)))
    share = images.support[at] / max(images.support_around[at], np.float32(1e-6))
    out[5] = _log(min(max(share, np.float32(1e-3)), np.float32(1e3)))
    ratio = images.first_weight[at] / max(images.second_weight[at], np.float32(1e-9))
    out[6] = _log(min(max(ratio, np.float32(1e-2)), np.float32(1e2)))
    out[9] = one - images.known_around[at]
    out[10] = _log(z)
    out[16] = images.penetration[at]
    out[13] = not images.measured[at] and not images.between[at]
    out[14] = images.between[at]


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def _surfel_features(p: int, surfels: SurfelAttributes, out: NDArray[np.float32]) -> None:
    """Fill the columns of `out` (17,) that depend on the surfel, zeros for none."""
    if p >= 0:
        out[7] = surfels.moving[p] and not surfels.transient[p]
        out[8] = 1 - surfels.trust[p]
        out[11] = min(abs(surfels.age_s[p]), np.float32(3))
        out[12] = surfels.incidence[p]
        out[15] = surfels.transient[p]
    else:
        out[7], out[8], out[11], out[12], out[15] = 0, 0, 0, 0, 0


@njit(cache=True, nogil=True)
def _log_counts() -> NDArray[np.float32]:
    """Logarithms of 1 to MAX_COUNT."""
    return np.log(np.arange(1, MAX_COUNT + 1).astype(np.float32))


@njit(cache=True, nogil=True, error_model="numpy")
def confidence_features(images: FeatureImages, surfels: SurfelAttributes, out: NDArray[np.float32]) -> None:
    """Fill `out` (P,17), one row for each known pixel in row-major order; see `COLUMNS`."""
    log_count = _log_counts()
    i = 0
    for at in range(images.depth_m.size):
        if images.depth_m[at] > 0:
            _pixel_features(at, log_count, images, out[i])
            _surfel_features(images.surfel[at], surfels, out[i])
            i += 1


@njit(cache=True, nogil=True, error_model="numpy")
def confidence_of_features(
    images: FeatureImages, surfels: SurfelAttributes, model: ConfidenceModel, out: NDArray[np.float32]
) -> None:
    """Fill `out` (M,) with `confidence_network` of the features of each known pixel, else 0."""
    log_count = _log_counts()
    rows, at_of = np.empty((BLOCK, len(COLUMNS)), dtype=np.float32), np.empty(BLOCK, dtype=np.int64)
    confidence = np.empty(BLOCK, dtype=np.float32)
    count = 0
    for at in range(images.depth_m.size):
        out[at] = 0
        if images.depth_m[at] > 0:
            _pixel_features(at, log_count, images, rows[count])
            _surfel_features(images.surfel[at], surfels, rows[count])
            at_of[count] = at
            count += 1
        if count == BLOCK or at == images.depth_m.size - 1:
            confidence_network(rows[:count], model, confidence)
            for k in range(count):
                out[at_of[k]] = confidence[k]
            count = 0
