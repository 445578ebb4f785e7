"""Features of each pixel's depth that the confidence model reads."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from densegt.kernels.confidence_network import BLOCK, ConfidenceModel, network_buffers, network_of_columns

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
def _log_within(x: np.float32, least: float, most: float) -> np.float32:
    """Logarithm of a number held between two others."""
    return _log(min(max(x, np.float32(least)), np.float32(most)))


@njit(cache=True, nogil=True)
def _gather(
    pixels: NDArray[np.int64],
    log_count: NDArray[np.float32],
    images: FeatureImages,
    surfels: SurfelAttributes,
    out: NDArray[np.float32],
) -> None:
    """Fill `out` (17*BLOCK,), column after column, with what features of some pixels (N,) are worked out from."""
    none, one = np.float32(0), np.float32(1)
    for k in range(len(pixels)):
        at = pixels[k]
        out[k] = log_count[min(images.agree[at], MAX_COUNT - 1)]
        out[BLOCK + k] = log_count[min(images.farther[at], MAX_COUNT - 1)]
        out[2 * BLOCK + k] = images.nearest_around_m[at]
        out[3 * BLOCK + k] = images.nearest_close_m[at]
        out[4 * BLOCK + k] = images.support[at]
        out[5 * BLOCK + k] = images.support_around[at]
        out[6 * BLOCK + k] = images.first_weight[at]
        # The second weight, for now.
        out[7 * BLOCK + k] = images.second_weight[at]
        out[9 * BLOCK + k] = one - images.known_around[at]
        out[10 * BLOCK + k] = images.depth_m[at]
        out[16 * BLOCK + k] = images.penetration[at]
        out[13 * BLOCK + k] = not images.measured[at] and not images.between[at]
        out[14 * BLOCK + k] = images.between[at]
        p = images.surfel[at]
        out[8 * BLOCK + k] = 1 - surfels.trust[p] if p >= 0 else none
        out[11 * BLOCK + k] = min(abs(surfels.age_s[p]), np.float32(3)) if p >= 0 else none
        out[12 * BLOCK + k] = surfels.incidence[p] if p >= 0 else none
        out[15 * BLOCK + k] = surfels.transient[p] if p >= 0 else none


@njit(cache=True, nogil=True, error_model="numpy")
def _work_out(out: NDArray[np.float32]) -> None:
    """Turn what was gathered into features, in place; quotients and logarithms of many pixels at a time."""
    one = np.float32(1)
    for k in range(BLOCK):
        z, support = out[10 * BLOCK + k], out[4 * BLOCK + k]
        out[2 * BLOCK + k] = min(z / out[2 * BLOCK + k] - one, one)
        out[3 * BLOCK + k] = min(z / out[3 * BLOCK + k] - one, one)
        share = support / max(out[5 * BLOCK + k], np.float32(1e-6))
        ratio = out[6 * BLOCK + k] / max(out[7 * BLOCK + k], np.float32(1e-9))
        out[4 * BLOCK + k] = _log_within(support, 1e-3, 1e6)
        out[5 * BLOCK + k] = _log_within(share, 1e-3, 1e3)
        out[6 * BLOCK + k] = _log_within(ratio, 1e-2, 1e2)
        out[10 * BLOCK + k] = _log(z)


@njit(cache=True, nogil=True)
def _features(
    pixels: NDArray[np.int64],
    log_count: NDArray[np.float32],
    images: FeatureImages,
    surfels: SurfelAttributes,
    out: NDArray[np.float32],
) -> None:
    """Fill `out` (17*BLOCK,), column after column, with the features of some pixels (N,), at most BLOCK."""
    _gather(pixels, log_count, images, surfels, out)
    _work_out(out)
    for k in range(len(pixels)):
        p = images.surfel[pixels[k]]
        out[7 * BLOCK + k] = surfels.moving[p] and not surfels.transient[p] if p >= 0 else False


@njit(cache=True, nogil=True)
def _log_counts() -> NDArray[np.float32]:
    """Logarithms of 1 to MAX_COUNT."""
    return np.log(np.arange(1, MAX_COUNT + 1).astype(np.float32))


@njit(cache=True, nogil=True)
def _known_from(begin: int, depth_m: NDArray[np.float32], out: NDArray[np.int64]) -> tuple[int, int]:
    """Write the next known pixels (BLOCK,) from an index on; their number, and the index to go on from."""
    count, at = 0, begin
    while at < depth_m.size and count < BLOCK:
        out[count] = at
        count += depth_m[at] > 0
        at += 1
    return count, at


@njit(cache=True, nogil=True)
def confidence_features(images: FeatureImages, surfels: SurfelAttributes, out: NDArray[np.float32]) -> None:
    """Fill `out` (P,17), one row for each known pixel in row-major order; see `COLUMNS`."""
    log_count, columns = _log_counts(), np.ones(len(COLUMNS) * BLOCK, dtype=np.float32)
    pixels, done, at = np.empty(BLOCK, dtype=np.int64), 0, 0
    while at < images.depth_m.size:
        count, at = _known_from(at, images.depth_m, pixels)
        _features(pixels[:count], log_count, images, surfels, columns)
        for k in range(count):
            for c in range(len(COLUMNS)):
                out[done + k, c] = columns[c * BLOCK + k]
        done += count


@njit(cache=True, nogil=True)
def confidence_of_features(
    images: FeatureImages, surfels: SurfelAttributes, model: ConfidenceModel, out: NDArray[np.float32]
) -> None:
    """Fill `out` (M,) with `confidence_network` of the features of each known pixel, else 0."""
    log_count, columns = _log_counts(), np.ones(len(COLUMNS) * BLOCK, dtype=np.float32)
    buffers, confidence = network_buffers(model), np.empty(BLOCK, dtype=np.float32)
    pixels, at = np.empty(BLOCK, dtype=np.int64), 0
    out[:] = 0
    while at < images.depth_m.size:
        count, at = _known_from(at, images.depth_m, pixels)
        _features(pixels[:count], log_count, images, surfels, columns)
        network_of_columns(columns, model, buffers, confidence[:count])
        for k in range(count):
            out[pixels[k]] = confidence[k]
