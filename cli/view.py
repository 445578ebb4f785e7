"""`densegt view`."""

from __future__ import annotations

from pathlib import Path

import click

from .accumulate_options import format_option
from .progress import progress_on_stderr

_PATH = click.Path(path_type=Path)
_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command("view")
@click.option("--depth", "depth_dir", type=_PATH, required=True, help="Depth store to show; best a completed one.")
@click.option("--dataroot", type=_PATH, required=True, help="Where the images and sweeps lie.")
@click.option("--out", type=_FILE, required=True, help="HTML file to write.")
@format_option
@click.option("--version", help="Folder of tables; the only v1.0-* there if not given.")
@click.option("--truth", "truth_dir", type=_PATH, help="Store of exact depth.  [default: DATAROOT/exact if there]")
@click.option("--scene", "scenes", multiple=True, metavar="NAME", help="May be repeated.  [default: the first]")
@click.option("--camera", "cameras", multiple=True, metavar="CHANNEL", help="This camera only; may be repeated.")
@click.option("--every", type=click.IntRange(min=1), default=1, show_default=True, help="Every n-th keyframe only.")
@click.option("--downscale", type=click.IntRange(min=1), default=1, show_default=True, help="Smaller by this factor.")
@click.option("--points", type=click.IntRange(min=0), default=120_000, show_default=True, help="Of the standing cloud.")
@click.option("--no-cloud", is_flag=True, help="Without the cloud in 3D, which takes as long as reading all sweeps.")
@click.option("--ply", "ply_dir", type=_PATH, help="Also write the whole cloud as <scene>.ply in this folder.")
@click.option("--rerun", "rerun_dir", type=_PATH, help="Also write <scene>.rrd for the Rerun viewer in this folder.")
@click.option("--open", "open_it", is_flag=True, help="Show it in the browser when it is written.")
def command(
    depth_dir: Path,
    dataroot: Path,
    out: Path,
    format_: str,
    version: str | None,
    truth_dir: Path | None,
    scenes: tuple[str, ...],
    cameras: tuple[str, ...],
    every: int,
    downscale: int,
    points: int,
    no_cloud: bool,
    ply_dir: Path | None,
    rerun_dir: Path | None,
    open_it: bool,
) -> None:
    """Write one HTML page to look around in: every pixel's metres, and the cloud they come from.

    \b
    densegt view --depth completed --dataroot /data/nuscenes --out view.html
    densegt view --depth completed --dataroot /data/nuscenes --out view.html --scene scene-0061 --camera CAM_FRONT

    The page needs nothing but itself and a browser. A scene of 5 s with six cameras at 800x450 is about 30 MB; for
    larger images use --downscale 2, for longer scenes --every.
    """
    from densegt.datasets import RecordingPath
    from densegt.view.page import Choice, Export, write_view

    if no_cloud and (ply_dir or rerun_dir):
        raise click.UsageError("--ply and --rerun write the cloud; leave --no-cloud out")
    exports: list[Export] = []
    if ply_dir:
        from densegt.view.ply import ply_writer

        exports.append(ply_writer(ply_dir))
    if rerun_dir:
        from densegt.view.to_rerun import rerun_writer

        exports.append(rerun_writer(rerun_dir, dataroot))
    choice = Choice(scenes, cameras, every, downscale, 0 if no_cloud else points)
    recording = RecordingPath(dataroot, format_, version)
    with progress_on_stderr("Drawing") as progress:
        shown = write_view(
            depth_dir,
            recording,
            out,
            choice,
            truth_dir=truth_dir,
            exports=exports,
            progress=progress,
        )
    rest = f"; {shown.other_scenes} other scenes are not in it, see --scene" if shown.other_scenes else ""
    click.echo(f"{out}: {shown.images} images of {', '.join(shown.scenes)}, {shown.bytes / 1e6:.1f} MB{rest}")
    if open_it:
        click.launch(str(out))
