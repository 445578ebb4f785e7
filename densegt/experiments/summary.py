"""All trials in one: a table of means, comparisons of what differs in one thing, and what they say in plain words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from densegt.experiments.figures import ASKED, FIGURES, Figure
from densegt.experiments.statistics import Difference, Interval, difference, interval, survivors
from densegt.experiments.variant import Variant

# By variant, figure and seed.
Found = Mapping[Variant, Mapping[str, Mapping[int, float]]]


@dataclass(frozen=True)
class Comparison:
    """Two variants that differ in one thing, by one figure.

    Attributes:
        better: the second less the first, in the direction that is better.
        sure: more than chance, with all comparisons of this figure looked at together.
    """

    figure: str
    factor: str
    first: Variant
    second: Variant
    better: Interval
    p: float
    sure: bool


def by_variant(
    results: Sequence[Mapping[str, Any]], variants: Sequence[Variant], figures: Sequence[Figure] = FIGURES
) -> dict[Variant, dict[str, dict[int, float]]]:
    """Figures of the trials that are done."""
    names = {variant.name: variant for variant in variants}
    found: dict[Variant, dict[str, dict[int, float]]] = {}
    for result in results:
        mine = found.setdefault(names[result["variant"]], {figure.name: {} for figure in figures})
        for name, value in result["figures"].items():
            mine[name][result["seed"]] = value
    return found


def table(found: Found, figures: Sequence[Figure] = FIGURES) -> list[dict[str, Any]]:
    """A row for each variant: mean and interval of each figure."""
    return [
        {"variant": variant.name, **{f.name: asdict(interval(list(mine[f.name].values()))) for f in figures}}
        for variant, mine in found.items()
    ]


def comparisons(found: Found, figures: Sequence[Figure] = FIGURES) -> list[Comparison]:
    """Every pair that differs in one thing alone."""
    pairs = [
        (factor, a, b)
        for factor in _factors(found)
        for i, a in enumerate(found)
        for b in list(found)[i + 1 :]
        if a.differs_only_in(factor, b)
    ]
    made = []
    for figure in figures:
        gaps = [difference(*(_signed(found[variant][figure.name], figure) for variant in (a, b))) for _, a, b in pairs]
        sure = survivors([gap.p for gap in gaps])
        made += [_comparison(figure, *pair, gap, holds) for pair, gap, holds in zip(pairs, gaps, sure, strict=True)]
    return made


def _signed(values: Mapping[int, float], figure: Figure) -> dict[int, float]:
    return {seed: value if figure.more_is_better else -value for seed, value in values.items()}


def _comparison(
    figure: Figure, factor: str, first: Variant, second: Variant, gap: Difference, sure: bool
) -> Comparison:
    return Comparison(figure.name, factor, first, second, gap.interval, gap.p, sure)


def sentences(
    found: Found,
    compared: Sequence[Comparison],
    figures: Sequence[Figure] = FIGURES,
    asked: Sequence[str] = ASKED,
) -> list[str]:
    """What won, by how much, and whether that is more than noise: one for each factor and each figure asked for."""
    said = []
    for figure in figures:
        for factor in _factors(found) if figure.name in asked else ():
            about = [c for c in compared if c.figure == figure.name and c.factor == factor and c.better.count]
            if about:
                said.append(_sentence(figure, factor, about, found))
    return said


def _factors(found: Found) -> tuple[str, ...]:
    return next(iter(found)).factors if found else ()


def _sentence(figure: Figure, factor: str, about: Sequence[Comparison], found: Found) -> str:
    """Of the variants that the first of these compares, and of all that differ from it in this factor."""
    name = figure.name
    # In a full design there are several such families; that of the first variant is told of.
    middle = about[0].first
    family = [middle, *(c.second for c in about if c.first == middle)]
    means = {variant: interval(list(found[variant][name].values())).mean for variant in family}
    order = sorted(family, key=lambda variant: -means[variant] if figure.more_is_better else means[variant])
    best, next_ = order[0], order[1]
    [gap] = [c for c in about if {c.first, c.second} == {best, next_}]
    others = " and ".join(f"{getattr(middle, other)} {other}" for other in middle.factors if other != factor)
    ranked = ", ".join(f"{variant.level(factor)} {means[variant]:.3f}" for variant in order)
    head = f"{name} by {factor} (with {others}): {ranked}. "
    amount = abs(gap.better.mean)
    if gap.better.count < 2:
        return head + f"{best.level(factor)} leads {next_.level(factor)} by {amount:.3f}; one seed cannot tell noise."
    tail = f"{best.level(factor)} leads {next_.level(factor)} by {amount:.3f} ± {gap.better.half:.3f}"
    noise = "more than noise" if gap.sure else "no more than noise"
    beaten = [
        variant.level(factor)
        for variant in order[2:]
        if any(c.sure and {c.first, c.second} == {best, variant} for c in about)
    ]
    rest = f"; it is surely ahead of {' and '.join(beaten)}" if beaten else ""
    return f"{head}{tail} over {gap.better.count} seeds: {noise}{rest}."
