"""densegt accumulate."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from .accumulate_options import accumulate_options, chosen, resolve
from .again import again

if TYPE_CHECKING:
    from densegt.accumulate.job import SceneDone
    from densegt.batch.executor import Executor
    from densegt.batch.summary import RunSummary


def _size(ctx: click.Context, param: click.Parameter, value: str | None) -> int | None:
    """Bytes, from a number with or without a unit."""
    from pydantic import ByteSize, TypeAdapter, ValidationError

    if value is None:
        return None
    try:
        return int(TypeAdapter(ByteSize).validate_python(value))
    except ValidationError:
        raise click.BadParameter(f"{value!r} is no size such as 16GB or 900MiB", ctx, param) from None


@click.command("accumulate")
@click.option("--dataroot", type=click.Path(path_type=Path), required=True, help="Folder with v1.0-*/ and samples/.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Depth store: one .h5 a scene goes there.")
@accumulate_options
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    help="Scenes at the same time; 1 if not given, with ray as many as its cluster has cores.",
)
@click.option(
    "--executor", type=click.Choice(["local", "ray"]), default="local", show_default=True,
    help="local: processes on this machine. ray: an existing Ray cluster.",
)  # fmt: skip
@click.option("--ray-address", metavar="HOST:PORT", help="Of the cluster; the one this machine is in if not given.")
@click.option(
    "--memory", metavar="SIZE", callback=_size,
    help="Such as 16GB. Without --workers as many scenes at the same time as fit into it and there are cores; "
    "with it no more than fit. With ray: what each scene may take is asked of Ray.",
)  # fmt: skip
@click.option("--overwrite", is_flag=True, help="Also make scenes again that are finished.")
@click.option(
    "--summary", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
    help="JSON lines about the run are appended to it; run-summary.jsonl in --out if not given.",
)  # fmt: skip
@click.pass_context
def command(
    ctx: click.Context,
    dataroot: Path,
    out: Path,
    format_: str,
    version: str | None,
    scenes: tuple[str, ...],
    cameras: tuple[str, ...],
    motion: str | None,
    surface: bool | None,
    window: float | str | None,
    refine_poses: bool | None,
    workers: int | None,
    executor: str,
    ray_address: str | None,
    memory: int | None,
    overwrite: bool,
    summary: Path | None,
    config: str | None,
) -> int:
    """Turn a nuScenes folder into dense depth maps of every camera keyframe.

    Scenes that are finished are skipped, so after an interruption the same command goes on where it was.

    \b
    densegt accumulate --dataroot /data/nuscenes --out depth
    densegt accumulate --dataroot /data/nuscenes --out depth --scene scene-0061 --camera CAM_FRONT --window 2
    """
    from densegt.accumulate.job import Job
    from densegt.batch.executor.threads import cores
    from densegt.batch.memory import largest_bytes, workers_within
    from densegt.batch.run import accumulate
    from densegt.batch.summary import NAME, RunSummary
    from densegt.datasets import RecordingPath

    from .progress import standing_on_stderr
    from .stopping import Stopping

    if ray_address and executor != "ray":
        raise click.UsageError("--ray-address goes with --executor ray")
    path = RecordingPath(dataroot, format_, version)
    job = Job(path, out, resolve(motion, surface, window, refine_poses, config), cameras, overwrite)
    recording = path.open()
    names = chosen(recording, scenes)
    need = None if memory is None else largest_bytes(recording, names)
    if memory is not None and need is not None:
        workers = workers_within(memory, need, workers or cores())
    stopping = Stopping()
    run = RunSummary(summary or out / NAME, job, executor=executor, workers=workers)
    try:
        with stopping, run, standing_on_stderr() as progress:
            runner = _executor(executor, ray_address, workers, need[0] if need else None)
            results = accumulate(job, names, executor=runner, progress=progress, record=run.add)
    except KeyboardInterrupt:
        click.echo(_stopped(run, len(names), overwrite), err=True)
        return stopping.exit_code
    if run.trouble:
        click.echo(f"densegt: the run's summary is not whole: {run.trouble}", err=True)
    return _report(ctx, results)


def _executor(name: str, ray_address: str | None, workers: int | None, task_bytes: int | None) -> Executor:
    """A process of its own even for one worker: it stops at once, and where it runs out of memory the run goes on."""
    from densegt.batch.executor import Local, Ray

    if name == "ray":
        return Ray(ray_address, at_once=workers, task_bytes=task_bytes)
    return Local(workers or 1)


def _stopped(run: RunSummary, scenes: int, overwrite: bool) -> str:
    finished = run.count("done") + run.count("skipped")
    how = "the same command without --overwrite" if overwrite else "the same command"
    return f"densegt: interrupted; {finished} of {scenes} scenes are finished and stay, {how} does the rest"


def _report(ctx: click.Context, results: list[SceneDone]) -> int:
    """Say what came of each scene; the exit code."""
    before: tuple[str, ...] = ()
    for done in results:
        if done.status == "failed":
            click.echo(f"densegt: {done.name} failed: {done.error}", err=True)
        elif done.status == "skipped":
            click.echo(f"{done.path}: finished before, skipped")
        else:
            click.echo(f"{done.path}: {done.images} images, {100 * done.coverage:.1f} % of pixels")
        # What is as it was in the scene before is not said again.
        said = (*done.notes, *done.warnings) if done.status == "done" else before
        for line in said:
            if line not in before:
                click.echo(f"densegt: {done.name}: {line}", err=True)
        before = said
    failed = [done for done in results if done.status == "failed"]
    if not failed:
        return 0
    redo = again(ctx, scenes=[done.name for done in failed])
    click.echo(f"densegt: {len(failed)} of {len(results)} scenes failed; to do just these again: {redo}", err=True)
    return 2 if len(failed) == len(results) and all(done.by_input for done in failed) else 1
