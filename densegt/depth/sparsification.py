"""Does the confidence know the error? Drop the least confident pixels step by step and see what error remains.

The sparsification curve and the area between it and the oracle's (AUSE): E. Ilg et al., Uncertainty Estimates and
Multi-Hypotheses Networks for Optical Flow, 2018.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]
# Shares of pixels kept: all, 95 %, ..., 5 %.
SHARES = tuple(1 - step / 20 for step in range(20))


@dataclass(frozen=True)
class Sparsification:
    """What remains of the error when only the most confident pixels are kept.

    Attributes:
        shares: (S,) kept, falling.
        rmse_m: (S,) of the pixels kept, by confidence.
        oracle_rmse_m: (S,) the least there can be: kept by their true error.
        outlier_percent: (S,) of the pixels kept, by confidence.
        ause: area between the two curves of RMSE, each divided by the RMSE of all; 0 is an oracle, and confidence
            without meaning gives about 1 less the area under the oracle's curve.
    """

    shares: Float64
    rmse_m: Float64
    oracle_rmse_m: Float64
    outlier_percent: Float64
    ause: float


def sparsification(
    error_m: NDArray[np.floating[Any]],
    confidence: NDArray[np.floating[Any]],
    outlier: NDArray[np.bool_] | None = None,
    shares: Sequence[float] = SHARES,
) -> Sparsification:
    """Curves over pixels (N,), N > 0; of equally confident pixels any part may be kept, so they count by their mean.

    Args:
        error_m: signed or not.
        confidence: larger is surer; the negative of an uncertainty will do.
        outlier: which count as wrong; none where not given.
        shares: of pixels kept, falling, in (0, 1].

    Raises:
        ValueError: no pixel, arrays that do not fit, values that are not finite, or shares that do not fall.
    """
    kept = np.asarray(shares, dtype=np.float64)
    if error_m.ndim != 1 or len(error_m) == 0 or confidence.shape != error_m.shape:
        raise ValueError(f"errors {error_m.shape} and confidence {confidence.shape} must be (N,), N > 0")
    if not np.isfinite(error_m).all() or not np.isfinite(confidence).all():
        raise ValueError("an error or a confidence is not finite")
    if not len(kept) or not (kept[-1] > 0 and kept[0] <= 1 and (np.diff(kept) < 0).all()):
        raise ValueError(f"shares must fall within (0, 1]: {list(shares)}")
    wrong = np.zeros(len(error_m), dtype=np.bool_) if outlier is None else outlier
    square = np.square(error_m.astype(np.float64))
    rmse, oracle = (np.sqrt(_mean_of_first(square, order, kept)) for order in (-confidence, square))
    outliers = 100 * _mean_of_first(wrong.astype(np.float64), -confidence, kept)
    whole = float(np.sqrt(square.mean()))
    ause = _area(rmse - oracle, kept) / whole if whole > 0 else 0.0
    return Sparsification(kept, rmse, oracle, outliers, ause)


def _mean_of_first(values: Float64, order: NDArray[np.floating[Any]], shares: Float64) -> Float64:
    """Mean of the first share of `values` in rising `order`; where values tie in order, each stands for their mean."""
    _, group, count = np.unique(order, return_inverse=True, return_counts=True)
    mean = np.bincount(group, weights=values) / count
    running = np.concatenate([[0.0], np.cumsum(np.repeat(mean, count))])
    number = np.maximum(1, np.rint(shares * len(values)).astype(np.int64))
    first: Float64 = running[number] / number
    return first


def _area(curve: Float64, shares: Float64) -> float:
    """Under a curve over falling shares, by trapezia."""
    return float(((curve[:-1] + curve[1:]) / 2 * -np.diff(shares)).sum())
