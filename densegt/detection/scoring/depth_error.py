"""How far a detector's depth is off, by range and beside edges, and how far the best constant would be."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from densegt.depth.edges import near_edges

Float32 = NDArray[np.float32]
BANDS_M = (0.0, 15.0, 35.0, 60.0)
EDGE_RADIUS_PX = 2.0
# For the median that the best constant is.
STEPS_PER_M = 20


class DepthError:
    """Mean absolute, root mean square and relative errors over all pixels of known truth; sums over images.

    Args:
        min_m, max_m: truth outside is not counted: no bin is there.
    """

    def __init__(self, min_m: float, max_m: float) -> None:
        self._min_m, self._max_m = min_m, min(max_m, BANDS_M[-1])
        names = ["all", "near edges", "away from edges"]
        names += [f"{low:g} to {high:g} m" for low, high in pairwise(BANDS_M)]
        self._sums = {name: np.zeros(5) for name in names}
        self._truths = np.zeros(round(BANDS_M[-1] * STEPS_PER_M) + 1, np.int64)

    def update(self, depth_m: Float32, truth_m: Float32) -> None:
        """Add an image: prediction and truth (H,W) in m, truth 0 = unknown."""
        counted = (truth_m >= self._min_m) & (truth_m <= self._max_m)
        edge = near_edges(truth_m, radius_px=EDGE_RADIUS_PX)
        groups = {"all": counted, "near edges": counted & edge, "away from edges": counted & ~edge}
        for low, high in pairwise(BANDS_M):
            groups[f"{low:g} to {high:g} m"] = counted & (truth_m >= low) & (truth_m < high)
        for name, chosen in groups.items():
            truth = truth_m[chosen].astype(np.float64)
            error = np.abs(depth_m[chosen] - truth)
            right = np.maximum(depth_m[chosen] / truth, truth / np.maximum(depth_m[chosen], 1e-6)) < 1.25
            self._sums[name] += [len(truth), error.sum(), (error**2).sum(), (error / truth).sum(), right.sum()]
        steps = np.rint(truth_m[counted] * STEPS_PER_M).astype(np.int64)
        self._truths += np.bincount(steps, minlength=len(self._truths))

    def compute(self) -> dict[str, dict[str, float]]:
        """By group: pixels, MAE m, RMSE m, relative error, share within a factor 1.25; NaN where there is no pixel."""
        found = {}
        for name, (count, absolute, square, relative, right) in self._sums.items():
            n = count if count else np.nan
            found[name] = {
                "pixels": float(count), "MAE m": absolute / n, "RMSE m": float(np.sqrt(square / n)),
                "relative": relative / n, "within 1.25": right / n,
            }  # fmt: skip
        found["best constant"] = self._constant()
        return found

    def _constant(self) -> dict[str, float]:
        """The median of all truths, chosen in hindsight."""
        count = int(self._truths.sum())
        if not count:
            return {"depth m": float("nan"), "MAE m": float("nan")}
        middle = int(np.searchsorted(np.cumsum(self._truths), count / 2))
        away = np.abs(np.arange(len(self._truths)) - middle)
        return {"depth m": middle / STEPS_PER_M, "MAE m": float((away * self._truths).sum() / count / STEPS_PER_M)}
