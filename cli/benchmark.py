"""`densegt train-lss --benchmark`: many trainings, one page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from densegt.detection.benchmark.run import Benchmark

PAGE = "index.html"


def compare(benchmark: Benchmark, workers: int | None, executor: str, ray_address: str | None) -> int:
    """Train what is not trained yet, write the page, say what it says; the exit code."""
    from densegt.detection.benchmark.run import SUMMARY, run
    from densegt.execute import Local, Ray
    from densegt.execute.threads import cores
    from densegt.report.benchmark_page import write_benchmark_page

    from .progress import progress_on_stderr
    from .stopping import Stopping

    if ray_address and executor != "ray":
        raise click.UsageError("--ray-address goes with --executor ray")
    runner = Ray(ray_address, at_once=workers) if executor == "ray" else Local(workers or cores())
    stopping = Stopping()
    try:
        with stopping, progress_on_stderr("train-lss --benchmark") as progress:
            failed = run(benchmark, runner, lambda line: click.echo(line, err=True), progress)
    except KeyboardInterrupt:
        click.echo("densegt: interrupted; what is trained stays, the same command does the rest", err=True)
        return stopping.exit_code
    summary = benchmark.out / SUMMARY
    if summary.is_file():
        sentences = write_benchmark_page(summary, benchmark.out / PAGE)
        click.echo("\n".join([*sentences, f"{benchmark.out / PAGE}: tables, curves and pictures"]))
    for name, why in failed:
        click.echo(f"densegt: {name} failed: {why}", err=True)
    return 1 if failed else 0
