"""`densegt check`."""

from __future__ import annotations

import click

from .progress import progress_on_stderr
from .recording_options import DatarootOptions, recording_options


@click.command("check")
@recording_options()
@click.option("--images", is_flag=True, help="Decode every image too (slow); otherwise only its header is read.")
def command(recording: DatarootOptions, images: bool) -> int:
    """Check that a recording is complete and consistent, before hours are spent on it.

    \b
    densegt check --dataroot /data/nuscenes
    densegt check --dataroot my-recording --format custom

    Prints one line for each thing that is wrong and a line with their number; for a recording of your own, what is
    missing next. Then poses, calibration, units and clocks of some scenes are held against their points and images:
    lines that begin with `sanity:` name what contradicts, and the likely mistake. Exit code 0: nothing is wrong;
    1: something is wrong; 2: not a recording at all.
    """
    from densegt.datasets.check_recording import check_recording

    with progress_on_stderr("Checking") as progress:
        report = check_recording(recording.path, decode_images=images, progress=progress)
    for line in (*report.problems, *report.notes):
        click.echo(line)
    click.echo(report.summary())
    contradictions = _contradictions(recording)
    for line in contradictions:
        click.echo(line)
    return 1 if report.problems or contradictions else 0


def _contradictions(recording: DatarootOptions) -> list[str]:
    """What units, frames, clocks and calibration contradict; nothing of a recording that cannot be opened."""
    from densegt.datasets.sanity.check_scenes import check_scenes
    from densegt.errors import InputError

    try:
        with progress_on_stderr("Looking at some scenes") as progress:
            return check_scenes(recording.path.open(), progress)
    except InputError:
        return []
