"""What speaks for and against each pixel's depth, as numbers."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from densegt.kernels.confidence_network import BLOCK, confidence_network

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
    "passing",
    "seen_through",
)

# Mantissas from 2/3 to 4/3 keep the series short.
_TWO_THIRDS = np.int32(0x3F2AAAAB)
_THIRD, _FIFTH, _SEVENTH, _NINTH = np.float32(1 / 3), np.float32(1 / 5), np.float32(1 / 7), np.float32(1 / 9)
_LN2 = np.float32(np.log(2))

# Counts beyond this say no more.
LOOKED_UP = 1024


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


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def _pixel_features(
    at: int,
    log_count: NDArray[np.float32],
    depth_m: NDArray[np.float32],
    measured: NDArray[np.bool_],
    between: NDArray[np.bool_],
    agree: NDArray[np.uint16],
    farther: NDArray[np.uint16],
    nearest_around_m: NDArray[np.float32],
    nearest_close_m: NDArray[np.float32],
    support: NDArray[np.float32],
    support_around: NDArray[np.float32],
    first_weight: NDArray[np.float32],
    second_weight: NDArray[np.float32],
    known_around: NDArray[np.float32],
    seen_through: NDArray[np.float32],
    out: NDArray[np.float32],
) -> None:
    """Fill `out` (17,) for a known pixel but for what its surfel says; see `confidence_features`. Images are flat."""
    z = depth_m[at]
    out[0] = log_count[min(agree[at], LOOKED_UP - 1)]
    out[1] = log_count[min(farther[at], LOOKED_UP - 1)]
    one = np.float32(1)
    out[2] = min(z / nearest_around_m[at] - one, one)
    out[3] = min(z / nearest_close_m[at] - one, one)
    out[4] = _log(min(max(support[at], np.float32(1e-3)), np.float32(1e6)))
    share = support[at] / max(support_around[at], np.float32(1e-6))
    out[5] = _log(min(max(share, np.float32(1e-3)), np.float32(1e3)))
    ratio = first_weight[at] / max(second_weight[at], np.float32(1e-9))
    out[6] = _log(min(max(ratio, np.float32(1e-2)), np.float32(1e2)))
    out[9] = one - known_around[at]
    out[10] = _log(z)
    out[16] = seen_through[at]
    out[13] = not measured[at] and not between[at]
    out[14] = between[at]


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def _surfel_features(
    p: int,
    moving: NDArray[np.bool_],
    passing: NDArray[np.bool_],
    trust: NDArray[np.float32],
    age_s: NDArray[np.float32],
    incidence: NDArray[np.float32],
    out: NDArray[np.float32],
) -> None:
    """Fill what a surfel says in `out` (17,), zeros for no surfel."""
    if p >= 0:
        out[7] = moving[p] and not passing[p]
        out[8] = 1 - trust[p]
        out[11] = min(abs(age_s[p]), np.float32(3))
        out[12] = incidence[p]
        out[15] = passing[p]
    else:
        out[7], out[8], out[11], out[12], out[15] = 0, 0, 0, 0, 0


@njit(cache=True, nogil=True)
def _log_counts() -> NDArray[np.float32]:
    """Counts are small; their logarithms are looked up."""
    return np.log(np.arange(1, LOOKED_UP + 1).astype(np.float32))


@njit(cache=True, nogil=True, error_model="numpy")
def confidence_features(
    depth_m: NDArray[np.float32],
    row_of: NDArray[np.int32],
    measured: NDArray[np.bool_],
    between: NDArray[np.bool_],
    agree: NDArray[np.uint16],
    farther: NDArray[np.uint16],
    nearest_around_m: NDArray[np.float32],
    nearest_close_m: NDArray[np.float32],
    support: NDArray[np.float32],
    support_around: NDArray[np.float32],
    first_weight: NDArray[np.float32],
    second_weight: NDArray[np.float32],
    known_around: NDArray[np.float32],
    seen_through: NDArray[np.float32],
    moving: NDArray[np.bool_],
    passing: NDArray[np.bool_],
    trust: NDArray[np.float32],
    age_s: NDArray[np.float32],
    incidence: NDArray[np.float32],
    out: NDArray[np.float32],
) -> None:
    """Fill `out` (P,17), one row a known pixel in row-major order; see `COLUMNS`.

    Images come flat, M = H x W: one index serves them all.

    Args:
        depth_m: (M,), 0 = unknown; row_of: (M,), the surfel it comes from, -1 for none.
        measured, between: (M,), a point of its own; filled between two such. The rest is covered by surfels.
        agree, farther: (M,), see `plane_votes`.
        nearest_around_m, nearest_close_m: (M,), nearest depth in a wider and a smaller window.
        support: (M,), the surface's weight times z^2; support_around: its greatest value around.
        first_weight, second_weight: (M,), of the nearest layer of surfels and of the one behind.
        known_around: (M,), share of known pixels around.
        seen_through: (M,), share of returns around that lie behind the front surface.
        moving, passing, trust, age_s, incidence: (N,) of the surfels, as in `View`.
    """
    log_count = _log_counts()
    i = 0
    for at in range(depth_m.size):
        if depth_m[at] > 0:
            _pixel_features(
                at,
                log_count,
                depth_m,
                measured,
                between,
                agree,
                farther,
                nearest_around_m,
                nearest_close_m,
                support,
                support_around,
                first_weight,
                second_weight,
                known_around,
                seen_through,
                out[i],
            )
            _surfel_features(row_of[at], moving, passing, trust, age_s, incidence, out[i])
            i += 1


@njit(cache=True, nogil=True, error_model="numpy")
def confidence_of_features(
    depth_m: NDArray[np.float32],
    row_of: NDArray[np.int32],
    measured: NDArray[np.bool_],
    between: NDArray[np.bool_],
    agree: NDArray[np.uint16],
    farther: NDArray[np.uint16],
    nearest_around_m: NDArray[np.float32],
    nearest_close_m: NDArray[np.float32],
    support: NDArray[np.float32],
    support_around: NDArray[np.float32],
    first_weight: NDArray[np.float32],
    second_weight: NDArray[np.float32],
    known_around: NDArray[np.float32],
    seen_through: NDArray[np.float32],
    moving: NDArray[np.bool_],
    passing: NDArray[np.bool_],
    trust: NDArray[np.float32],
    age_s: NDArray[np.float32],
    incidence: NDArray[np.float32],
    first: NDArray[np.float32],
    second: NDArray[np.float32],
    third: NDArray[np.float32],
    out: NDArray[np.float32],
) -> None:
    """Fill `out` (M,) with the probability of each known pixel by `confidence_network`, else 0.

    Args: as for `confidence_features`; first, second, third: the network's layers.
    """
    log_count = _log_counts()
    rows, at_of = np.empty((BLOCK, len(COLUMNS)), dtype=np.float32), np.empty(BLOCK, dtype=np.int64)
    sure = np.empty(BLOCK, dtype=np.float32)
    count = 0
    for at in range(depth_m.size):
        out[at] = 0
        if depth_m[at] > 0:
            _pixel_features(
                at,
                log_count,
                depth_m,
                measured,
                between,
                agree,
                farther,
                nearest_around_m,
                nearest_close_m,
                support,
                support_around,
                first_weight,
                second_weight,
                known_around,
                seen_through,
                rows[count],
            )
            _surfel_features(row_of[at], moving, passing, trust, age_s, incidence, rows[count])
            at_of[count] = at
            count += 1
        if count == BLOCK or at == depth_m.size - 1:
            confidence_network(rows[:count], first, second, third, sure)
            for k in range(count):
                out[at_of[k]] = sure[k]
            count = 0
