"""`--benchmark` of the training commands: many trainings, one page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from densegt.batch.executor import Executor

PAGE = "index.html"
Failures = list[tuple[str, str]]


def benchmark_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """How many seeds, and where the trainings run; given to the command as `seeds`, `workers` and so on."""
    for option in (
        click.option(
            "--ray-address", metavar="HOST:PORT",
            help="Of the cluster.  [default: the one this machine is in]",
        ),
        click.option(
            "--executor", type=click.Choice(["local", "ray"]), default="local", show_default=True,
            help="Of the benchmark: processes on this machine, or an existing Ray cluster.",
        ),
        click.option("--workers", type=click.IntRange(1), help="Trainings at the same time.  [default: one a core]"),
        click.option(
            "--seeds", type=click.IntRange(1), default=3, show_default=True,
            help="Trainings of each variant, from different random seeds.",
        ),
    ):  # fmt: skip
        command = option(command)
    return command


@dataclass(frozen=True)
class Where:
    """Where trainings run; see `benchmark_options`."""

    workers: int | None
    executor: str
    ray_address: str | None


def compare(name: str, out: Path, run: Callable[[Executor, Callable[[str], None], Any], Failures], where: Where) -> int:
    """Train what is not trained yet, write the page, say what it says; the exit code.

    Args:
        run: does so on an executor and writes the summary in `out`; gives trainings that failed, and why.
    """
    from densegt.batch.executor import Local, Ray
    from densegt.batch.executor.threads import cores
    from densegt.experiments.matrix import SUMMARY
    from densegt.report.benchmark_page import write_benchmark_page
    from densegt.training.sole_writer import sole_writer

    from .progress import progress_on_stderr
    from .signals import SigtermAsInterrupt

    at_once = where.workers
    if where.ray_address and where.executor != "ray":
        raise click.UsageError("--ray-address goes with --executor ray")
    runner = Ray(where.ray_address, at_once=at_once) if where.executor == "ray" else Local(at_once or cores())
    interrupt = SigtermAsInterrupt()
    try:
        with interrupt, sole_writer(out, "benchmark"), progress_on_stderr(f"{name} --benchmark") as progress:
            failed = run(runner, lambda line: click.echo(line, err=True), progress)
    except KeyboardInterrupt:
        click.echo("densegt: interrupted; what is trained stays, the same command does the rest", err=True)
        return interrupt.exit_code
    summary = out / SUMMARY
    if summary.is_file():
        sentences = write_benchmark_page(summary, out / PAGE)
        click.echo("\n".join([*sentences, f"{out / PAGE}: tables, curves and pictures"]))
    for what, why in failed:
        click.echo(f"densegt: {what} failed: {why}", err=True)
    return 1 if failed else 0
