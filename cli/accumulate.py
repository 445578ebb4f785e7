"""densegt accumulate."""

from __future__ import annotations

from pathlib import Path

import click

from .accumulate_options import accumulate_options, chosen, resolve


@click.command()
@click.option("--dataroot", type=click.Path(path_type=Path), required=True, help="Folder with v1.0-*/ and samples/.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Depth store: one .h5 a scene goes there.")
@accumulate_options
@click.option("--workers", type=click.IntRange(min=1), default=1, show_default=True, help="Scenes at the same time.")
@click.option("--executor", type=click.Choice(["local"]), default="local", show_default=True, help="Where work runs.")
@click.option("--overwrite", is_flag=True, help="Replace scenes that are there already.")
def command(
    dataroot: Path,
    out: Path,
    version: str | None,
    scenes: tuple[str, ...],
    cameras: tuple[str, ...],
    motion: str | None,
    surface: bool | None,
    window: float | str | None,
    workers: int,
    executor: str,
    overwrite: bool,
    config: str | None,
) -> int:
    """Turn a nuScenes folder into dense depth maps of every camera keyframe.

    \b
    densegt accumulate --dataroot /data/nuscenes --out depth
    densegt accumulate --dataroot /data/nuscenes --out depth --scene scene-0061 --camera CAM_FRONT --window 2
    """
    from densegt.accumulate.run import Job, accumulate
    from densegt.datasets.nuscenes import NuScenes

    from .progress import progress_on_stderr

    job = Job(dataroot, version, out, resolve(motion, surface, window, config), cameras, overwrite)
    names = chosen(NuScenes(dataroot, version), scenes)
    with progress_on_stderr("accumulate") as progress:
        results = accumulate(job, names, workers=workers, progress=progress)
    for done in results:
        if done.error is None:
            click.echo(f"{done.path}: {done.images} images, {100 * done.coverage:.1f} % of pixels")
        else:
            click.echo(f"densegt: {done.name} failed: {done.error}", err=True)
    failed = sum(done.error is not None for done in results)
    if not failed:
        return 0
    return 2 if failed == len(results) else 1
