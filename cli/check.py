"""`densegt check`."""

from __future__ import annotations

from pathlib import Path

import click

from .accumulate_options import format_option
from .progress import progress_on_stderr


@click.command("check")
@click.option("--dataroot", type=click.Path(path_type=Path), required=True, help="Folder of the recording.")
@format_option
@click.option("--version", help="Folder of nuScenes tables, e.g. v1.0-mini; by default the only one there.")
@click.option("--images", is_flag=True, help="Decode every image too (slow); otherwise only its header is read.")
def command(dataroot: Path, format_: str, version: str | None, images: bool) -> int:
    """Is this folder whole and readable?

    \b
    densegt check --dataroot /data/nuscenes
    densegt check --dataroot my-recording --format custom

    Prints one line for each thing that is wrong and a line with their number; for a recording of your own, what is
    missing next. Exit code 0: whole; 1: something is wrong; 2: not a recording at all.
    """
    from densegt.datasets import RecordingPath, recognised
    from densegt.datasets.check_recording import check_recording
    from densegt.datasets.nuscenes.check import check

    with progress_on_stderr("Checking") as progress:
        if (recognised(dataroot) if format_ == "auto" else format_) == "nuscenes":
            report = check(dataroot, version, decode_images=images, progress=progress)
            lines, problems, summary = [*map(str, report.findings)], len(report.findings), report.summary()
        else:
            path = RecordingPath(dataroot, format_, version)
            found = check_recording(path, decode_images=images, progress=progress)
            lines, problems, summary = [*found.problems, *found.notes], len(found.problems), found.summary()
    for line in lines:
        click.echo(line)
    click.echo(summary)
    return 1 if problems else 0
