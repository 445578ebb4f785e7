"""`densegt check`."""

from __future__ import annotations

import click

from .progress import progress_on_stderr
from .recording_options import DatarootOptions, recording_options


@click.command("check")
@recording_options()
@click.option("--images", is_flag=True, help="Decode every image too (slow); otherwise only its header is read.")
def command(recording: DatarootOptions, images: bool) -> int:
    """Is this folder whole and readable?

    \b
    densegt check --dataroot /data/nuscenes
    densegt check --dataroot my-recording --format custom

    Prints one line for each thing that is wrong and a line with their number; for a recording of your own, what is
    missing next. Exit code 0: whole; 1: something is wrong; 2: not a recording at all.
    """
    from densegt.datasets.check_recording import check_recording

    with progress_on_stderr("Checking") as progress:
        report = check_recording(recording.path, decode_images=images, progress=progress)
    for line in (*report.problems, *report.notes):
        click.echo(line)
    click.echo(report.summary())
    return 1 if report.problems else 0
