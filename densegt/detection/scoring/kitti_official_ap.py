"""Average precision by the rule of KITTI's own evaluation: precision at the scores where recall passes forty steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]
STEPS = 40


class ScoredOverlaps(NamedTuple):
    """Of one sample: scores (N,) of found boxes, and their overlaps (N,M) with labelled ones."""

    scores: Float64
    overlaps: Float64


def official_average_precision(samples: Sequence[ScoredOverlaps], min_overlap: float) -> float:
    """Mean precision at the last 40 of 41 score thresholds, each the best at it or at a lower one; 0 beyond the last.

    Thresholds are scores of boxes that are right, chosen so that recall grows by at least about 1/40 from one to the
    next. With fewer than 41 labelled boxes there are fewer thresholds, so that even perfect boxes stay below 1.
    KITTI's levels of difficulty, and the boxes that they leave out, are not known of other data. NaN without labels.
    """
    labels = sum(sample.overlaps.shape[1] for sample in samples)
    if not labels:
        return float("nan")
    right = np.concatenate([_surest_matches(sample, min_overlap) for sample in samples])
    precision = np.zeros(STEPS + 1)
    for i, threshold in enumerate(thresholds(right, labels)):
        counts = np.array([_counts(sample, min_overlap, threshold) for sample in samples]).sum(0)
        precision[i] = counts[0] / max(counts.sum(), 1)
    return float(np.maximum.accumulate(precision[::-1])[::-1][1:].mean())


def thresholds(right: Float64, labels: int) -> list[float]:
    """Scores, falling, at which recall is next to 0, 1/40, 2/40, ...; `right` are the scores of right boxes."""
    found: list[float] = []
    # A running sum, for ties are decided by its rounding, there as here.
    wanted = 0.0
    ordered = np.sort(right)[::-1]
    for i, score in enumerate(ordered):
        here, next_ = (i + 1) / labels, (i + 2) / labels
        last = i == len(ordered) - 1
        if last or next_ - wanted >= wanted - here:
            found.append(float(score))
            wanted += 1 / STEPS
    return found[: STEPS + 1]


def _surest_matches(sample: ScoredOverlaps, min_overlap: float) -> Float64:
    """Scores of boxes that are right: each label takes the surest of the boxes left that overlap it enough."""
    free = np.ones(len(sample.scores), np.bool_)
    found = []
    for overlaps in sample.overlaps.T:
        possible = np.flatnonzero(free & (overlaps > min_overlap))
        if len(possible):
            best = possible[np.argmax(sample.scores[possible])]
            free[best] = False
            found.append(sample.scores[best])
    return np.array(found, np.float64)


def _counts(sample: ScoredOverlaps, min_overlap: float, threshold: float) -> tuple[int, int]:
    """Right and wrong boxes among those of at least this score: each label takes the one left that overlaps it most."""
    sure = sample.scores >= threshold
    free = sure.copy()
    for overlaps in sample.overlaps.T:
        possible = np.flatnonzero(free & (overlaps > min_overlap))
        if len(possible):
            free[possible[np.argmax(overlaps[possible])]] = False
    return int(sure.sum() - free.sum()), int(free.sum())
