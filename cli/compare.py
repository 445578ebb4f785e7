"""`densegt compare`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .progress import progress_on_stderr

if TYPE_CHECKING:
    from rich.table import Table

    from densegt.depth.compare import Comparison, Paired

_PATH = click.Path(path_type=Path)
_FILE = click.Path(path_type=Path, dir_okay=False)
# Of the figures against ground truth; all are in the page and in --json.
_SHOWN = ("accuracy %", "outliers %", "MAE m")


@click.command("compare")
@click.argument("a_dir", metavar="A", type=_PATH)
@click.argument("b_dir", metavar="B", type=_PATH)
@click.option("--truth", "truth_dir", type=_PATH, help="Store of exact depth; then both are scored against it too.")
@click.option(
    "--dataroot", type=_PATH, help="Folder of the recording, to show images of the places beside their depth."
)
@click.option("--out", type=_FILE, default=Path("compare.html"), help="Page of the places where they differ most.")
@click.option("--json", "json_path", type=_FILE, help="Write every figure and place here.")
@click.option("--places", type=click.IntRange(0, 200), default=24, help="So many are shown.")
@click.option(
    "--max-depth", "max_depth_m", type=click.FloatRange(min=0, min_open=True), default=60.0,
    help="Count truth nearer than this many metres.",
)  # fmt: skip
def command(
    a_dir: Path,
    b_dir: Path,
    truth_dir: Path | None,
    dataroot: Path | None,
    out: Path,
    json_path: Path | None,
    places: int,
    max_depth_m: float,
) -> None:
    """Set two depth stores side by side: what they hold, how they agree, and where they differ most.

    \b
    densegt compare depth completed --truth world/exact --dataroot world
    densegt compare depth sweeps --dataroot /data/nuscenes --out compare.html

    A and B are stores of the same recording. Differences are B - A; their spread is the standard deviation from image
    to image. Without --truth the places are those in which the two contradict each other, with it those that but one
    of them has right.
    """
    from densegt.depth.compare import compare_stores
    from densegt.depth.partial_file import check_writable, write_whole
    from densegt.errors import InputError
    from densegt.report.compare_page import write_compare_page
    from densegt.suggestion import no_such_folder

    if dataroot is not None and not dataroot.is_dir():
        raise InputError(no_such_folder(dataroot))
    check_writable(out)
    with progress_on_stderr("Comparing") as progress:
        found = compare_stores(a_dir, b_dir, truth_dir, max_depth_m=max_depth_m, most_places=places, progress=progress)
    write_compare_page(found, out, (a_dir, b_dir), truth_dir, dataroot)
    if json_path:
        write_whole(json_path, json.dumps(found.as_dict(), indent=2, allow_nan=False).encode() + b"\n")
    _print(found)
    click.echo(f"{out}: {len(found.places)} places where A and B differ most")


def _print(found: Comparison) -> None:
    from rich.console import Console

    from densegt.depth.compare import setting_in_words

    # A pipe has no width of its own; rich would take 80 and cut the columns.
    console = Console(highlight=False, width=max(Console().width, 140))
    if found.accuracy:
        console.print(_accuracy(found))
    console.print(_content(found))
    for name, value in found.agreement.items():
        click.echo(f"{name}: {'-' if value is None else f'{value:.3f}'}")
    for key, (a, b) in list(found.settings.items())[:20]:
        click.echo(f"setting {key}: {setting_in_words(a)} against {setting_in_words(b)}")


def _accuracy(found: Comparison) -> Table:
    from rich.table import Table

    table = Table(title=f"{found.images} images against ground truth", title_justify="left")
    table.add_column("pixels", no_wrap=True)
    for name in _SHOWN:
        for part in (f"{name}\nA", "\nB", "\nB - A", "\nspread"):
            table.add_column(part, justify="right", no_wrap=True)
    for groups in found.accuracy.values():
        for label, figures in groups.items():
            table.add_row(label, *(cell for name in _SHOWN for cell in _cells(figures[name])))
        table.add_section()
    return table


def _content(found: Comparison) -> Table:
    from rich.table import Table

    title = f"{found.images} images in both" + "".join(
        f", {count} only in {name}" for name, count in (("A", found.only_a), ("B", found.only_b)) if count
    )
    table = Table(title=title, title_justify="left")
    table.add_column("of all pixels", no_wrap=True)
    for name in ("A", "B", "B - A", "spread over images"):
        table.add_column(name, justify="right", no_wrap=True)
    for name, pair in found.content.items():
        table.add_row(name, *_cells(pair))
    return table


def _cells(pair: Paired) -> tuple[str, str, str, str]:
    a, b, spread = ("-" if value is None else f"{value:.2f}" for value in (pair.a, pair.b, pair.spread))
    return a, b, "-" if pair.difference is None else f"{pair.difference:+.2f}", spread
