"""A page about what quantisation cost and gained, of the figures that `densegt quantise --report` finds."""

from __future__ import annotations

import json
import math
from importlib.resources import files
from pathlib import Path
from typing import Any

from densegt.depth.partial_file import write_whole

Json = dict[str, Any]
WHOLE = "all"


def write_quantisation_page(summary: Path, out: Path) -> None:
    """Write the page of a `quantised.json`."""
    import jinja2

    found: Json = json.loads(summary.read_text())
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["figure"] = _figure
    template = environment.from_string(files("densegt.report").joinpath("quantisation.html.j2").read_text("utf-8"))
    aps = found["methods"]["float"]["ap"]
    page = template.render(
        found=found,
        classes=list(aps),
        ranges=list(dict.fromkeys(part for parts in aps.values() for part in parts)),
        rows=rows_of(found),
        config=json.dumps(found["config"], indent=1),
    )
    write_whole(out, page.encode())


def rows_of(found: Json) -> list[Json]:
    """A row for each method, beside the float file: what it loses of the mean AP, how much faster, how large."""
    first = found["methods"]["float"]
    classes = list(first["ap"])

    def mean(row: Json) -> float:
        values = [float(row["ap"].get(name, {}).get(WHOLE, 0.0)) for name in classes]
        return sum(values) / max(len(values), 1)

    return [
        {
            "method": name,
            "aps": [row["ap"].get(each, {}).get(WHOLE, 0.0) for each in classes],
            "mean": mean(row),
            "lost": mean(first) - mean(row),
            "ms": row["ms"],
            "times": first["ms"] / row["ms"],
            "mb": row["MB"],
            "share": row["MB"] / first["MB"],
        }
        for name, row in found["methods"].items()
    ]


def _figure(x: float | None) -> str:
    return "–" if x is None or math.isnan(x) else f"{x:.3f}"  # noqa: RUF001
