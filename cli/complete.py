"""densegt complete."""

from __future__ import annotations

from pathlib import Path

import click

_PATH = click.Path(path_type=Path)


@click.command()
@click.option("--dataroot", type=_PATH, required=True, help="Where the images lie.")
@click.option("--depth", "depth_dir", type=_PATH, required=True, help="Depth store written by `densegt accumulate`.")
@click.option("--out", type=_PATH, required=True, help="Depth store: one .h5 a scene goes there.")
@click.option(
    "--method", type=click.Choice(["classical", "network"]), default="classical", show_default=True,
    help="classical: along surfaces, guided by the image's edges; needs no weights. network: learned.",
)  # fmt: skip
@click.option("--checkpoint", type=_PATH, help="Weights for the network, other than those that ship.")
@click.option("--scene", "scenes", multiple=True, metavar="NAME", help="This scene only; may be repeated.")
@click.option("--camera", "cameras", multiple=True, metavar="CHANNEL", help="This camera only; may be repeated.")
@click.option("--workers", type=click.IntRange(min=1), default=1, show_default=True, help="Scenes at the same time.")
@click.option("--overwrite", is_flag=True, help="Also make scenes again that are finished.")
def command(
    dataroot: Path,
    depth_dir: Path,
    out: Path,
    method: str,
    checkpoint: Path | None,
    scenes: tuple[str, ...],
    cameras: tuple[str, ...],
    workers: int,
    overwrite: bool,
) -> int:
    """Fill the gaps of a depth store, and say how sure each pixel is.

    \b
    densegt complete --dataroot /data/nuscenes --depth depth --out completed

    Filled pixels have source 5; what was measured stays as it was. The layer `uncertainty` holds one standard
    deviation in metres. Scenes that are finished are skipped.
    """
    from densegt.completion.run import Job, complete, scenes_of
    from densegt.execute import Here, Local

    from .progress import progress_on_stderr

    job = Job(dataroot, depth_dir, out, method, checkpoint, cameras, overwrite)
    names = scenes_of(depth_dir, scenes)
    executor = Here() if workers == 1 or len(names) == 1 else Local(workers)
    with progress_on_stderr("complete") as progress:
        results = complete(job, names, executor=executor, progress=progress)
    for done in results:
        if done.status == "failed":
            click.echo(f"densegt: {done.name} failed: {done.error}", err=True)
        elif done.status == "skipped":
            click.echo(f"{done.path}: finished before, skipped")
        else:
            click.echo(f"{done.path}: {done.images} images, {100 * done.coverage:.1f} % of pixels")
    failed = [done for done in results if done.status == "failed"]
    if not failed:
        return 0
    return 2 if len(failed) == len(results) and all(done.by_input for done in failed) else 1
