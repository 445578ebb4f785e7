"""Bar charts as inline SVG; their text takes the page's colour, so they suit light and dark."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from densegt.depth.figures import Figures, Summary, in_words

# Stands for the text's colour in matplotlib, which knows no currentColor.
_INK = "#010203"
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "densegt",
    "font.family": "sans-serif",
    "font.size": 9,
    "text.color": _INK,
    "axes.labelcolor": _INK,
    "axes.edgecolor": _INK,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
}
_RIGHT, _COVERED, _WRONG = "#3d9a68", "#a9d5bd", "#d9534f"


def plots(summary: Summary) -> list[str]:
    """The charts of an evaluation: coverage by range, outliers by range, outliers by kind where kinds are known."""
    ranges = {f"{name} m": f for name, f in summary.by_range.items() if f.counted}
    kinds = {in_words(name).replace(" ", "\n"): f for name, f in summary.by_kind.items() if f.counted}
    charts = [coverage_chart(ranges), outlier_chart(ranges, title="Outliers by range")]
    return charts + ([outlier_chart(kinds, title="Outliers by kind")] if kinds else [])


def coverage_chart(groups: Mapping[str, Figures]) -> str:
    """Coverage by group, and how much of it is right, as SVG."""
    names = list(groups)
    covered = [f.coverage_percent or 0 for f in groups.values()]
    right = [f.right_percent or 0 for f in groups.values()]
    with chart("Coverage by range", "% of ground-truth pixels") as (axes, svg):
        axes.bar(names, covered, color=_COVERED, width=0.65, label="covered")
        bars = axes.bar(names, right, color=_RIGHT, width=0.65, label="and accurate")
        axes.bar_label(bars, [f"{x:.0f}" for x in right], padding=-12, color="white", fontsize=8)
        axes.set_ylim(0, 100)
        axes.legend(frameon=False, fontsize=8, loc="lower left", bbox_to_anchor=(0.45, 1.0), ncols=2, handlelength=1)
    return inline(svg)


def outlier_chart(groups: Mapping[str, Figures], *, title: str) -> str:
    """Outliers by group as SVG."""
    values = [f.outlier_percent or 0 for f in groups.values()]
    labels = ["none" if f.outlier_percent is None else f"{f.outlier_percent:.2g}" for f in groups.values()]
    with chart(title, "% of predicted pixels") as (axes, svg):
        bars = axes.bar(list(groups), values, color=_WRONG, width=0.65)
        axes.bar_label(bars, labels, padding=2, fontsize=8)
        axes.set_ylim(0, max([*values, 1]) * 1.15)
    return inline(svg)


@contextmanager
def chart(title: str, unit: str) -> Iterator[tuple[Any, io.StringIO]]:
    """Axes to draw on, and where the SVG stands afterwards."""
    import matplotlib
    from matplotlib.figure import Figure

    text = io.StringIO()
    # Colours are taken when a thing is drawn, so all of the drawing happens in the style.
    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=(4.4, 2.7), layout="constrained")  # no pyplot: no window system, no global state
        axes = figure.add_subplot()
        axes.set_title(title, loc="left", fontsize=10, fontweight="bold")
        axes.set_ylabel(unit)
        axes.grid(axis="y", alpha=0.2, color=_INK)
        axes.set_axisbelow(True)
        yield axes, text
        figure.savefig(text, format="svg", transparent=True, metadata={"Date": None})


def inline(svg: io.StringIO) -> str:
    """An SVG file as part of a page: no XML head, ink in the colour of the page's text."""
    text = svg.getvalue()
    return text[text.index("<svg") :].replace(_INK, "currentColor")
