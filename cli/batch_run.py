"""Run a job over scenes: progress and failures on stderr, results on stdout, a summary in a file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import click

from .batch_options import BatchOptions
from .rerun_command import rerun_command

if TYPE_CHECKING:
    from densegt.batch.job import SceneJob, SceneResult
    from densegt.batch.summary import RunSummary


def run_batch(
    ctx: click.Context,
    job: SceneJob,
    names: Sequence[str],
    options: BatchOptions,
    *,
    task_bytes: int | None = None,
    details: Callable[[SceneResult], str] = lambda result: "",
    units: tuple[str, str] = ("images", "pixels"),
) -> int:
    """Exit code of a run: 0 done, 1 some scenes failed, 2 all failed by their input, 128 + number of a signal.

    Args:
        task_bytes: memory that Ray is asked for, for each scene.
        details: ends the line about a scene that is done.
        units: what a scene's file is made of, and what its coverage counts.
    """
    from densegt.batch.run import run_scenes
    from densegt.batch.summary import FILE_NAME, RunSummary

    from .progress import run_progress_on_stderr
    from .signals import SigtermAsInterrupt

    executor = options.open_executor(task_bytes=task_bytes)
    interrupt = SigtermAsInterrupt()
    summary = RunSummary(
        options.summary or job.out / FILE_NAME, job, executor=options.executor, workers=options.workers
    )
    try:
        with interrupt, summary, run_progress_on_stderr() as progress:
            results = run_scenes(job, names, executor=executor, progress=progress, record=summary.add)
    except KeyboardInterrupt:
        click.echo(_interrupted(summary, len(names), options.overwrite), err=True)
        return interrupt.exit_code
    if summary.write_error:
        click.echo(f"densegt: the run's summary is not whole: {summary.write_error}", err=True)
    said: tuple[str, ...] = ()
    for result in results:
        _print(result, details, units)
        if result.status == "done":
            said = _print_remarks(result, said)
    return _exit_code(ctx, results)


def _interrupted(summary: RunSummary, scenes: int, overwrite: bool) -> str:
    finished = summary.count("done") + summary.count("skipped")
    how = "the same command without --overwrite" if overwrite else "the same command"
    return f"densegt: interrupted; {finished} of {scenes} scenes are finished and stay, {how} does the rest"


def _print(result: SceneResult, details: Callable[[SceneResult], str], units: tuple[str, str]) -> None:
    if result.status == "failed":
        click.echo(f"densegt: {result.name} failed: {result.error}", err=True)
    elif result.status == "skipped":
        click.echo(f"{result.path}: finished before, skipped")
    else:
        pixels = f"{result.images} {units[0]}, {100 * result.coverage:.1f} % of {units[1]}"
        click.echo(f"{result.path}: {pixels}{details(result)}")


def _print_remarks(result: SceneResult, said: tuple[str, ...]) -> tuple[str, ...]:
    """Notes and warnings of a scene, without those that were said of the scene before."""
    remarks = (*result.notes, *result.warnings)
    for line in remarks:
        if line not in said:
            click.echo(f"densegt: {result.name}: {line}", err=True)
    return remarks


def _exit_code(ctx: click.Context, results: Sequence[SceneResult]) -> int:
    """The exit code; says how to run what failed again."""
    failed = [result for result in results if result.status == "failed"]
    if not failed:
        return 0
    command = rerun_command(ctx, scenes=[result.name for result in failed])
    click.echo(f"densegt: {len(failed)} of {len(results)} scenes failed; to do just these again: {command}", err=True)
    return 2 if len(failed) == len(results) and all(result.by_input for result in failed) else 1
