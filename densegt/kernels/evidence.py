"""What speaks for and against each pixel's depth, as numbers."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

# Columns that `evidence` writes, in order.
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

# Counts beyond this say no more.
LOOKED_UP = 1024


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def _speak(
    at: int,
    log_count: NDArray[np.float32],
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
    """Fill `out` (17,) for a known pixel; see `evidence`. Images are flat: one index serves them all."""
    z = depth_m[at]
    p = row_of[at]
    out[0] = log_count[min(agree[at], LOOKED_UP - 1)]
    out[1] = log_count[min(farther[at], LOOKED_UP - 1)]
    out[2] = min(z / nearest_around_m[at] - 1, 1)
    out[3] = min(z / nearest_close_m[at] - 1, 1)
    out[4] = np.log(min(max(support[at], np.float32(1e-3)), np.float32(1e6)))
    share = support[at] / max(support_around[at], np.float32(1e-6))
    out[5] = np.log(min(max(share, np.float32(1e-3)), np.float32(1e3)))
    ratio = first_weight[at] / max(second_weight[at], np.float32(1e-9))
    out[6] = np.log(min(max(ratio, np.float32(1e-2)), np.float32(1e2)))
    out[9] = 1 - known_around[at]
    out[10] = np.log(z)
    out[16] = seen_through[at]
    if p >= 0:
        out[7] = moving[p] and not passing[p]
        out[8] = 1 - trust[p]
        out[11] = min(abs(age_s[p]), np.float32(3))
        out[12] = incidence[p]
        out[15] = passing[p]
    else:
        out[7], out[8], out[11], out[12], out[15] = 0, 0, 0, 0, 0
    out[13] = not measured[at] and not between[at]
    out[14] = between[at]


@njit(cache=True, nogil=True)
def _log_counts() -> NDArray[np.float32]:
    """Counts are small; their logarithms are looked up."""
    return np.log(np.arange(1, LOOKED_UP + 1).astype(np.float32))


@njit(cache=True, nogil=True, error_model="numpy")
def evidence(
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
        depth_m: (M,), 0 = unknown; row_of: (M,), the patch it comes from, -1 for none.
        measured, between: (M,), a point of its own; filled between two such. The rest is covered by patches.
        agree, farther: (M,), see `plane_votes`.
        nearest_around_m, nearest_close_m: (M,), nearest depth in a wider and a smaller window.
        support: (M,), the surface's weight times z^2; support_around: its greatest value around.
        first_weight, second_weight: (M,), of the nearest layer of patches and of the one behind.
        known_around: (M,), share of known pixels around.
        seen_through: (M,), share of returns around that lie behind the front surface.
        moving, passing, trust, age_s, incidence: (N,) of the patches, as in `View`.
    """
    log_count = _log_counts()
    i = 0
    for at in range(depth_m.size):
        if depth_m[at] > 0:
            _speak(
                at,
                log_count,
                depth_m,
                row_of,
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
                moving,
                passing,
                trust,
                age_s,
                incidence,
                out[i],
            )
            i += 1


@njit(cache=True, nogil=True, error_model="numpy")
def weigh_evidence(
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
    weights: NDArray[np.float32],
    bias: float,
    out: NDArray[np.float32],
) -> None:
    """Fill `out` (M,) with the probability 1 / (1 + exp(-(bias + weights . evidence))) of each known pixel, else 0.

    Args: as for `evidence`; weights: (17,).
    """
    log_count = _log_counts()
    here = np.empty(len(COLUMNS), dtype=np.float32)
    for at in range(depth_m.size):
        out[at] = 0
        if depth_m[at] > 0:
            _speak(
                at,
                log_count,
                depth_m,
                row_of,
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
                moving,
                passing,
                trust,
                age_s,
                incidence,
                here,
            )
            # Four sums at once: each has its own to wait for.
            a, b, c, d = np.float32(bias), weights[16] * here[16], np.float32(0), np.float32(0)
            for k in range(0, 16, 4):
                a += weights[k] * here[k]
                b += weights[k + 1] * here[k + 1]
                c += weights[k + 2] * here[k + 2]
                d += weights[k + 3] * here[k + 3]
            out[at] = np.float32(1) / (np.float32(1) + np.exp(-((a + b) + (c + d))))
