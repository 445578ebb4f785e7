"""`densegt evaluate --complete`: what it runs and what it prints."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .recording_options import SelectionOptions

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rich.table import Table

    from densegt.depth.figures import Figures, Summary
    from densegt.experiments.completion_comparison import (
        CompletionComparison,
        CompletionComparisonJob,
        MethodResult,
    )


def run(job: CompletionComparisonJob, selection: SelectionOptions, workers: int) -> CompletionComparison:
    """Compare over the scenes with a bar on stderr, and print the table and what failed."""
    from rich.console import Console

    from densegt.experiments.completion_comparison import compare_completion

    from .progress import progress_on_stderr

    names = selection.scene_names(job.recording.open())
    with progress_on_stderr("complete") as progress:
        result = compare_completion(job, names, workers=workers, progress=progress)
    # A pipe has no width of its own; rich would take 80 and cut the columns.
    console = Console(highlight=False, width=max(Console().width, 130))
    for name, methods in result.results.items():
        console.print(_table(name, methods))
    for line in _remarks(job):
        click.echo(line)
    for name, why in result.failed.items():
        click.echo(f"densegt: {name} failed: {why}", err=True)
    return result


def _table(name: str, methods: Mapping[str, MethodResult]) -> Table:
    from rich.table import Table

    table = Table(title=f"from {'one sweep' if name == 'one sweep' else 'accumulated depth'}", title_justify="left")
    table.add_column("pixels", no_wrap=True)
    table.add_column("method", no_wrap=True)
    for column in ("share %", "MAE m", "RMSE m", "outliers %", "answered %", "sky %", "s an image"):
        table.add_column(column, justify="right", no_wrap=True)
    groups = [list(_groups(result.summary)) for result in methods.values()]
    for at, (label, _) in enumerate(groups[0] if groups else []):
        for (method, result), of_method in zip(methods.items(), groups, strict=True):
            figures = of_method[at][1]
            cells = (figures.share_percent, figures.mae_m, figures.rmse_m, figures.outlier_percent)
            whole = (result.answered_percent, result.sky_percent, result.seconds) if at == 0 else (None,) * 3
            first = next(iter(methods)) == method
            table.add_row(label if first else "", method, *map(_shown, (*cells, *whole)))
        table.add_section()
    return table


def _groups(summary: Summary) -> Iterator[tuple[str, Figures]]:
    """All, then by kind and range."""
    yield "all", summary.all
    for name, figures in summary.by_kind.items():
        yield name.replace("_", " "), figures
    for name, figures in summary.by_range.items():
        yield f"{name} m", figures


def _shown(value: float | None) -> str:
    return "" if value is None else f"{value:.3g}" if value < 1 else f"{value:.2f}"


def _remarks(job: CompletionComparisonJob) -> list[str]:
    lines = ["errors are over pixels that all methods answer; outliers are farther off than max(0.5 m, 5 %)"]
    if job.truth is None:
        lines.append(
            "one sweep: every other beam is given, the others are true; accumulated: all other sweeps are given, the "
            "keyframe's own is true; in both only where the camera surely sees the point"
        )
    return lines
