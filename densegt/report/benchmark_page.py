"""One self-contained HTML page about `densegt train-lss --benchmark`, from what it wrote."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from densegt.depth.partial_file import write_whole
from densegt.report.benchmark_plots import dots, range_curves, training_curves

Json = dict[str, Any]


def write_benchmark_page(summary: Path, out: Path) -> list[str]:
    """Write the page beside the trials' folder; gives the sentences that it opens with."""
    import jinja2

    found: Json = json.loads(summary.read_text())
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["figure"] = lambda x: "–" if x is None or math.isnan(x) else f"{x:.3f}"  # noqa: RUF001
    template = environment.from_string(files("densegt.report").joinpath("benchmark.html.j2").read_text("utf-8"))
    page = template.render(
        found=found,
        figures=[name for name in found["table"][0] if name != "variant"],
        plots=[dots(found["table"], name, found["fixed"].get(name)) for name in found["plotted"]],
        curves=[
            *(
                range_curves(family(found, factor), found["by_range"], f"Depth error by range and {factor}")
                for factor in (found["factor_names"] if found["by_range"] else ())
            ),
            *(training_curves(found["trials"], name) for name in found["curves"]),
        ],
        pictures=_pictures(found, summary.parent),
        config=json.dumps(found["config"], indent=1),
    )
    write_whole(out, page.encode())
    return list(found["sentences"])


def family(found: Json, factor: str) -> list[Json]:
    """Rows of the first variant and of those that differ from it in this factor alone."""
    first, levels = found["table"][0], found["factors"]

    def alike(row: Json) -> bool:
        others = [other for other in found["factor_names"] if other != factor]
        return all(levels[row["variant"]][other] == levels[first["variant"]][other] for other in others)

    return [row for row in found["table"] if alike(row)]


def _pictures(found: Json, folder: Path) -> list[tuple[str, str]]:
    """Arm, and the picture of its first seed as a data URI; of each the same keyframe."""
    shown: dict[str, str] = {}
    for trial in found["trials"]:
        paths: Sequence[Path] = sorted(
            (folder / "trials" / trial["variant"] / str(trial["seed"])).glob("picture-*.png")
        )
        if paths and trial["variant"] not in shown:
            shown[trial["variant"]] = "data:image/png;base64," + base64.b64encode(paths[0].read_bytes()).decode()
    return list(shown.items())
