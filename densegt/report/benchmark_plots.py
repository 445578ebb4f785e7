"""Charts of a benchmark's page: means with their intervals, errors by range, how trainings went."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from densegt.report.plots import chart, inline

DOT = "#2563b8"


def dots(table: Sequence[Mapping[str, Any]], figure: str, fixed: float | None) -> str:
    """A dot and its confidence interval for each variant; dashed what the best fixed answer reaches."""
    with chart(figure, "") as (axes, svg):
        for place, row in enumerate(reversed(table)):
            found = row[figure]
            half = 0.0 if math.isnan(found["high"]) else found["high"] - found["mean"]
            axes.errorbar(found["mean"], place, xerr=half, fmt="o", ms=4, color=DOT, elinewidth=1, capsize=2)
        axes.set_yticks(range(len(table)), [row["variant"] for row in reversed(table)], fontsize=7)
        if fixed is not None and not math.isnan(fixed):
            axes.axvline(fixed, ls="--", lw=1, color="#d9534f")
        axes.grid(axis="x", alpha=0.2)
    return inline(svg)


def range_curves(rows: Sequence[Mapping[str, Any]], figures: Sequence[str], title: str) -> str:
    """Mean depth error by range, a line for each variant; a figure for each range, which its name ends with."""
    with chart(title, "mean absolute error, m") as (axes, svg):
        for row in rows:
            axes.plot(
                [name.split(", ")[-1] for name in figures],
                [row[name]["mean"] for name in figures],
                marker="o",
                ms=3,
                label=row["variant"],
            )
        axes.set_ylim(bottom=0)
        axes.legend(frameon=False, fontsize=7)
    return inline(svg)


def training_curves(trials: Sequence[Mapping[str, Any]], tag: str) -> str:
    """What validation found during training; a colour for each variant, a line for each seed."""
    colours: dict[str, str] = {}
    with chart(f"{tag} during training", "") as (axes, svg):
        for trial in trials:
            points = trial["curves"].get(tag, [])
            named = trial["variant"] not in colours
            colour = colours.setdefault(trial["variant"], f"C{len(colours) % 10}")
            label = trial["variant"] if named else None
            axes.plot(*zip(*points, strict=True), lw=1, color=colour, label=label) if points else None
        axes.set_xlabel("steps")
        axes.legend(frameon=False, fontsize=6, ncols=2)
    return inline(svg)
