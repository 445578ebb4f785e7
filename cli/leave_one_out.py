"""`densegt evaluate --leave-one-out`: what it runs and what it prints."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .recording_options import SelectionOptions

if TYPE_CHECKING:
    from rich.table import Table

    from densegt.accumulation.leave_one_out.recording import LeaveOneOutJob, LeaveOneOutResult
    from densegt.depth.figures import Figures


def run(job: LeaveOneOutJob, selection: SelectionOptions, workers: int) -> LeaveOneOutResult:
    """Score the scenes with a bar on stderr, and print the table and what failed."""
    from rich.console import Console

    from densegt.accumulation.leave_one_out.recording import leave_one_out

    from .progress import progress_on_stderr

    names = selection.scene_names(job.recording.open())
    with progress_on_stderr("leave one out") as progress:
        result = leave_one_out(job, names, workers=workers, progress=progress)
    # A pipe has no width of its own; rich would take 80 and cut the columns.
    console = Console(highlight=False, width=max(Console().width, 140))
    console.print(_table(result))
    for line in _remarks(result):
        click.echo(line)
    for name, line in result.set_aside.items():
        click.echo(f"densegt: {name}: {line}", err=True)
    for name, why in result.failed.items():
        click.echo(f"densegt: {name} failed: {why}", err=True)
    return result


def _table(result: LeaveOneOutResult) -> Table:
    from rich.table import Table

    from densegt.depth.figures import in_words

    whole = result.whole
    ours, theirs = whole.sure.densegt, whole.sure.z_buffer_baseline
    title = f"{whole.images} images, each rebuilt without its own sweep and scored on it, nearer than "
    table = Table(title=f"{title}{result.job.max_depth_m:g} m", title_justify="left")
    table.add_column("held-out points", no_wrap=True)
    for name in ("points %", "accuracy %", "coverage %", "outliers %", "MAE m", "RMSE m", "median m"):
        table.add_column(name, justify="right", no_wrap=True)
    for name in ("z-buffer\ncoverage %", "z-buffer\noutliers %"):
        table.add_column(name, justify="right", style="dim", no_wrap=True)
    points = whole.all_points.densegt.all.counted
    _section(table, {"surely seen": ours.all}, {"surely seen": theirs.all}, points)
    by_motion, their_motion = ({in_words(k): f for k, f in m.by_motion.items()} for m in (ours, theirs))
    _section(table, by_motion, their_motion, points)
    by_range, their_range = ({f"{k} m": f for k, f in method.by_range.items()} for method in (ours, theirs))
    _section(table, by_range, their_range, points)
    _section(table, {f"source: {in_words(name)}": f for name, f in ours.by_source.items()}, {}, points)
    rest = {"ambiguous": whole.ambiguous, "hidden": whole.hidden, "all": whole.all_points}
    _section(
        table,
        {label: method.densegt.all for label, method in rest.items()},
        {label: method.z_buffer_baseline.all for label, method in rest.items()},
        points,
    )
    return table


def _section(table: Table, ours: dict[str, Figures], theirs: dict[str, Figures], points: int) -> None:
    from densegt.depth.figures import percent

    for label, f in ours.items():
        other = theirs.get(label)
        shown = (
            percent(f.counted, points),
            f.right_percent,
            f.coverage_percent,
            f.outlier_percent,
            f.mae_m,
            f.rmse_m,
            f.median_m,
        )
        beside = (other.coverage_percent, other.outlier_percent) if other else (None, None)
        table.add_row(label, *("-" if value is None else f"{value:.2f}" for value in (*shown, *beside)))
    table.add_section()


def _remarks(result: LeaveOneOutResult) -> list[str]:
    lines = []
    ratio = result.whole.sure.outlier_ratio
    if ratio is not None:
        lines.append(f"surely seen: the z-buffer baseline over the same sweeps has {ratio:.1f} times the outliers")
    lines.append("ambiguous and hidden points are near or behind surfaces that the camera may see instead")
    if not result.whole.all_points.densegt.by_motion:
        lines.append("dynamic objects and the rest are not told apart: the recording has no boxes")
    lines.append("only what the lidar met is scored; see `definitions` in --json")
    return lines
