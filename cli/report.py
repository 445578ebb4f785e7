"""`densegt report`."""

from __future__ import annotations

from pathlib import Path

import click

from .progress import progress_on_stderr
from .recording_options import DatarootOptions, recording_options

_PATH = click.Path(path_type=Path)


@click.command("report")
@recording_options(help="Folder of the recording; only its images are read.")
@click.option("--depth", "depth_dir", type=_PATH, required=True, help="Depth store to show.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="HTML file to write.")
@click.option("--truth", "truth_dir", type=_PATH, help="Store of exact depth.  [default: DATAROOT/exact if it fits]")
@click.option("--max-images", type=click.IntRange(min=0), default=36, show_default=True, help="Show at most so many.")
def command(recording: DatarootOptions, depth_dir: Path, out: Path, truth_dir: Path | None, max_images: int) -> None:
    """Write one self-contained HTML page about a depth store.

    \b
    densegt report --depth depth --dataroot /data/nuscenes --out report.html
    """
    from densegt.report.page import write_report

    with progress_on_stderr("Drawing") as progress:
        shown = write_report(
            depth_dir, recording.image_root, out, truth_dir=truth_dir, max_images=max_images, progress=progress
        )
    click.echo(f"{out}: {shown} images shown, {out.stat().st_size / 1e6:.1f} MB")
