"""The figures that depth is judged by: what they are called, what they mean, and how sums become them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

# What is summed over pixels, in this order, along the first axis of every array of sums.
QUANTITIES = (
    "counted",
    "predicted",
    "outliers",
    "too_far",
    "absolute",
    "square",
    "signed",
    "absolute_relative",
    "square_relative",
    "absolute_inverse",
    "square_inverse",
    "delta1",
    "delta2",
    "delta3",
)
# |error| is pooled in these steps for its median: the store's own, so nothing is lost.
ERROR_STEPS_PER_M = 256

DEFINITIONS = {
    "counted": "pixels whose truth lies in (0, max_depth_m); every figure is pooled over the pixels of all images",
    "predicted": "counted pixels that have a prediction (finite, > 0)",
    "outlier": "a predicted counted pixel with |p - t| > max(0.5 m, 5 % of t) for every truth t > 0 among the 3x3 "
    "around it (t may lie beyond max_depth_m)",
    "right_percent": "accuracy over all ground-truth pixels: predicted pixels that are no outliers, as a share "
    "of counted",
    "outlier_percent": "outliers as a share of predicted",
    "coverage_percent": "predicted as a share of counted",
    "share_percent": "counted pixels of this group as a share of all counted",
    "too_far_percent": "outliers farther than their best match, as a share of outliers (background shining through)",
    "mae_m": "mean |p - t| over predicted, same pixel (no 3x3)",
    "rmse_m": "root of the mean (p - t)^2 over predicted, same pixel",
    "median_m": "median |p - t| over predicted, same pixel, in steps of 1/256 m",
    "bias_m": "mean p - t over predicted, same pixel; positive is too far",
    "abs_rel": "mean |p - t| / t over predicted, same pixel",
    "sq_rel_m": "mean (p - t)^2 / t over predicted, same pixel",
    "imae_per_km": "mean |1/p - 1/t| over predicted, same pixel, depths in km",
    "irmse_per_km": "root of the mean (1/p - 1/t)^2 over predicted, same pixel, depths in km",
    "delta_percent": "delta<k>_percent: share of predicted with max(p/t, t/p) < 1.25^k, same pixel",
    "false_positive_percent": "predictions < max_depth_m with no surface (truth 0) in the whole 3x3 around them, "
    "as a share of all predictions",
    "beyond_percent": "predictions < max_depth_m where truth is at max_depth_m or beyond and no truth of the 3x3 "
    "matches, as a share of all predictions; not among the outliers, for their pixels are not counted",
    "labelled_world": "all kinds but unlabelled dynamic objects; images without a kind layer are left out",
    "by_source": "grouped by the prediction's source code; counted here means predicted",
    "by_edge": "near: within 5 px of a jump in truth, more than max(0.5 m, 5 %), that no plane explains; off: the rest",
}


@dataclass(frozen=True)
class Figures:
    """The figures of one group of pixels; see DEFINITIONS. None where there is nothing to divide by."""

    counted: int
    predicted: int
    outliers: int
    share_percent: float | None
    right_percent: float | None
    coverage_percent: float | None
    outlier_percent: float | None
    too_far_percent: float | None
    mae_m: float | None
    rmse_m: float | None
    median_m: float | None
    bias_m: float | None
    abs_rel: float | None
    sq_rel_m: float | None
    imae_per_km: float | None
    irmse_per_km: float | None
    delta1_percent: float | None
    delta2_percent: float | None
    delta3_percent: float | None


@dataclass(frozen=True)
class Summary:
    """The figures of a set of images: over everything, and by group (empty where truth lacks what tells them)."""

    images: int
    images_with_kind: int
    max_depth_m: float
    predictions: int
    false_positive_percent: float | None
    beyond_percent: float | None
    all: Figures
    labelled_world: Figures | None
    by_kind: dict[str, Figures]
    by_range: dict[str, Figures]
    by_source: dict[str, Figures]
    by_edge: dict[str, Figures]

    def sections(self) -> Iterator[tuple[str, dict[str, Figures]]]:
        """The groups for a table, labels in plain words: the headline, then by kind, range, source and edge."""
        headline = {"all": self.all}
        if self.labelled_world:
            headline["labelled world"] = self.labelled_world
        yield "headline", headline
        yield "kind", {in_words(name): f for name, f in self.by_kind.items()}
        yield "range", {f"{name} m": f for name, f in self.by_range.items()}
        yield "source", {f"source: {in_words(name)}": f for name, f in self.by_source.items()}
        yield "edges", {f"{name} edges": f for name, f in self.by_edge.items()}

    def as_dict(self) -> dict[str, Any]:
        """For JSON: nested dictionaries, null where a figure is not defined."""
        return dataclasses.asdict(self)


def figures_of(sums: NDArray[np.float64], errors: NDArray[np.int64], *, all_counted: float) -> Figures:
    """Turn sums (len(QUANTITIES),) and the histogram of |error| in steps into figures."""
    s = dict(zip(QUANTITIES, sums.tolist(), strict=True))
    n, m = s["counted"], s["predicted"]
    mean_square, mean_square_inverse = ratio(s["square"], m), ratio(s["square_inverse"], m)
    return Figures(
        counted=round(n),
        predicted=round(m),
        outliers=round(s["outliers"]),
        share_percent=percent(n, all_counted),
        right_percent=percent(m - s["outliers"], n),
        coverage_percent=percent(m, n),
        outlier_percent=percent(s["outliers"], m),
        too_far_percent=percent(s["too_far"], s["outliers"]),
        mae_m=ratio(s["absolute"], m),
        rmse_m=None if mean_square is None else mean_square**0.5,
        median_m=median_of(errors),
        bias_m=ratio(s["signed"], m),
        abs_rel=ratio(s["absolute_relative"], m),
        sq_rel_m=ratio(s["square_relative"], m),
        imae_per_km=ratio(s["absolute_inverse"], m),
        irmse_per_km=None if mean_square_inverse is None else mean_square_inverse**0.5,
        delta1_percent=percent(s["delta1"], m),
        delta2_percent=percent(s["delta2"], m),
        delta3_percent=percent(s["delta3"], m),
    )


def in_words(name: str) -> str:
    """The name of a kind or source as tables show it; a mover is a dynamic object."""
    return name.lower().replace("mover", "dynamic_object").replace("_", " ")


def ratio(part: float, whole: float) -> float | None:
    """part / whole, None for an empty whole."""
    return part / whole if whole > 0 else None


def percent(part: float, whole: float) -> float | None:
    """Share in per cent, None for an empty whole."""
    return 100 * part / whole if whole > 0 else None


def median_of(errors: NDArray[np.int64]) -> float | None:
    """Median in metres from a histogram over steps; the mean of the middle two where the number is even."""
    running = np.cumsum(errors)
    n = int(running[-1])
    if n == 0:
        return None
    low, high = np.searchsorted(running, [(n - 1) // 2, n // 2], side="right")
    return float(low + high) / 2 / ERROR_STEPS_PER_M
