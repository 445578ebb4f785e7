"""The figures that trainings are compared by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Figure:
    """One number of a trained detector.

    Attributes:
        path: where it stands in the scores of `evaluate.Scores`.
        fixed: where the best fixed answer's stands, () where there is none.
    """

    name: str
    path: tuple[str, ...]
    fixed: tuple[str, ...] = ()
    more_is_better: bool = True


FIGURES = (
    Figure("vehicle IoU", ("vehicles", "IoU"), ("vehicles", "best fixed map")),
    Figure("mAP", ("detection", "mean_ap"), ("detection of the best fixed boxes", "mean_ap")),
    Figure("NDS", ("detection", "nd_score"), ("detection of the best fixed boxes", "nd_score")),
    Figure(
        "vehicles' AP at 2 m",
        ("detection", "vehicles' AP at 2 m"),
        ("detection of the best fixed boxes", "vehicles' AP at 2 m"),
    ),
    Figure("depth MAE m", ("depth", "all", "MAE m"), ("depth", "best constant", "MAE m"), more_is_better=False),
    Figure("depth MAE m near edges", ("depth", "near edges", "MAE m"), more_is_better=False),
    Figure("depth MAE m, 0 to 15 m", ("depth", "0 to 15 m", "MAE m"), more_is_better=False),
    Figure("depth MAE m, 15 to 35 m", ("depth", "15 to 35 m", "MAE m"), more_is_better=False),
    Figure("depth MAE m, 35 to 60 m", ("depth", "35 to 60 m", "MAE m"), more_is_better=False),
)
# What the sentences tell of.
ASKED = ("vehicle IoU", "mAP", "NDS", "depth MAE m")


def figures_of(
    scores: Sequence[tuple[int, Mapping[str, Any]]], figures: Sequence[Figure] = FIGURES
) -> tuple[dict[str, float], dict[str, float]]:
    """Figures, and those of the best fixed answers, of one training's scores of several folders.

    Args:
        scores: keyframes of each folder, and its scores; the mean counts each folder by its keyframes.
    """
    found = {f.name: _mean([(n, _at(s, f.path)) for n, s in scores]) for f in figures}
    fixed = {f.name: _mean([(n, _at(s, f.fixed)) for n, s in scores]) for f in figures if f.fixed}
    return found, fixed


def _at(scores: Mapping[str, Any], path: Sequence[str]) -> float:
    value: Any = scores
    for name in path:
        value = value[name]
    return float(value)


def _mean(values: Sequence[tuple[int, float]]) -> float:
    """Over the folders that have the figure; NaN where none has."""
    there = [(n, value) for n, value in values if value == value]
    total = sum(n for n, _ in there)
    return sum(n * value for n, value in there) / total if total else float("nan")
