"""densegt complete."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from .again import again
from .stopping import Stopping

if TYPE_CHECKING:
    from densegt.batch.executor import Executor
    from densegt.completion.run import SceneDone

_PATH = click.Path(path_type=Path)


@click.command("complete")
@click.option("--dataroot", type=_PATH, required=True, help="Where the images lie.")
@click.option("--depth", "depth_dir", type=_PATH, required=True, help="Depth store written by `densegt accumulate`.")
@click.option("--out", type=_PATH, required=True, help="Depth store: one .h5 a scene goes there.")
@click.option(
    "--method", type=click.Choice(["classical", "network", "prompt-depth-anything"]), default="classical",
    show_default=True,
    help="classical: along surfaces, guided by the image's edges; needs no weights. network: learned. "
    "prompt-depth-anything: a foundation model, if you have it (densegt[foundation]).",
)  # fmt: skip
@click.option(
    "--checkpoint", type=_PATH,
    help="Weights for the network, other than those that ship; a folder for prompt-depth-anything.",
)  # fmt: skip
@click.option("--scene", "scenes", multiple=True, metavar="NAME", help="This scene only; may be repeated.")
@click.option("--camera", "cameras", multiple=True, metavar="CHANNEL", help="This camera only; may be repeated.")
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
@click.option("--overwrite", is_flag=True, help="Also make scenes again that are finished.")
@click.pass_context
def command(
    ctx: click.Context,
    dataroot: Path,
    depth_dir: Path,
    out: Path,
    method: str,
    checkpoint: Path | None,
    scenes: tuple[str, ...],
    cameras: tuple[str, ...],
    workers: int | None,
    executor: str,
    ray_address: str | None,
    overwrite: bool,
) -> int:
    """Fill the gaps of a depth store, and say how sure each pixel is.

    \b
    densegt complete --dataroot /data/nuscenes --depth depth --out completed

    Filled pixels have source 5; what was measured stays as it was, unless the network has evidence against it: then it
    has source 5 too, and is counted. The layer `uncertainty` holds one standard deviation in metres. Scenes that are
    finished are skipped.
    """
    from densegt.completion.run import Job, complete, scenes_of

    from .progress import progress_on_stderr

    if ray_address and executor != "ray":
        raise click.UsageError("--ray-address goes with --executor ray")
    job = Job(dataroot, depth_dir, out, method, checkpoint, cameras, overwrite)
    names = scenes_of(depth_dir, scenes)
    stopping = Stopping()
    try:
        with stopping, progress_on_stderr("complete") as progress:
            runner = _executor(executor, ray_address, workers, len(names))
            results = complete(job, names, executor=runner, progress=progress)
    except KeyboardInterrupt:
        how = "the same command without --overwrite" if overwrite else "the same command"
        click.echo(f"densegt: interrupted; finished scenes are whole and stay, {how} does the rest", err=True)
        return stopping.exit_code
    return _report(ctx, results)


def _executor(name: str, ray_address: str | None, workers: int | None, scenes: int) -> Executor:
    from densegt.batch.executor import Here, Local, Ray

    if name == "ray":
        return Ray(ray_address, at_once=workers)
    return Here() if (workers or 1) == 1 or scenes == 1 else Local(workers or 1)


def _report(ctx: click.Context, results: list[SceneDone]) -> int:
    """Say what came of each scene; the exit code."""
    for done in results:
        if done.status == "failed":
            click.echo(f"densegt: {done.name} failed: {done.error}", err=True)
        elif done.status == "skipped":
            click.echo(f"{done.path}: finished before, skipped")
        else:
            given_up = f", {100 * done.given_up:.2f} % of measured ones given up" if done.given_up else ""
            click.echo(f"{done.path}: {done.images} images, {100 * done.coverage:.1f} % of pixels{given_up}")
    failed = [done for done in results if done.status == "failed"]
    if not failed:
        return 0
    redo = again(ctx, scenes=[done.name for done in failed])
    click.echo(f"densegt: {len(failed)} of {len(results)} scenes failed; to do just these again: {redo}", err=True)
    return 2 if len(failed) == len(results) and all(done.by_input for done in failed) else 1
